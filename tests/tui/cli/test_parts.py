"""The command line's parts: tables, progress, values, logs, questions, what is imported."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui.cli import tables
from cloudtui.cli.ask import Terminal
from cloudtui.cli.json_fields import plain
from cloudtui.cli.progress import Progress, bar
from cloudtui.handlers import values
from cloudtui.handlers.demo_report import wilson
from cloudtui.handlers.logs import _chunks, _start, split
from cloudtui.handlers.service import install
from cloudtui_engine.errors import UsageError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.operation import Operation, OperationState

HEAVY = {
    "textual",
    "rich",
    "numpy",
    "paramiko",
    "sqlite_utils",
    "torch",
    "sklearn",
    "onnx",
    "asyncio",
    "subprocess",
}


def test_a_list_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from cloudtui.cli.main import main; status = main(['run', 'list', '--json']);"
        "print(status, *sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    env = {**os.environ, "CLOUDTUI_HOME": str(tmp_path / "home")}
    for _ in range(2):  # the first one makes the catalog, and migrations need sqlite_utils
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
    assert json.loads(done.stdout) == []
    status, *loaded = done.stderr.split()
    assert status == "0"
    assert not HEAVY & set(loaded)


def test_tables_align_and_fit() -> None:
    columns = [tables.Column("Name", shrinks=True), tables.Column("Loss", right=True)]
    lines = tables.table(columns, [["short", "1.5"], ["日本語の名前", ""]])
    assert lines == ["Name          Loss", "short          1.5", "日本語の名前     –"]
    narrow = tables.table(columns, [["a very long name indeed", "1.5"]], 16)
    assert all(tables.width(line) <= 16 for line in narrow)
    assert narrow[1].endswith("1.5")


@given(st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=3), max_size=5), st.integers(20, 100))
def test_a_table_with_one_that_shrinks_fits(rows: list[list[str]], cells: int) -> None:
    columns = [
        tables.Column("A", shrinks=True),
        tables.Column("B", shrinks=True),
        tables.Column("C", shrinks=True),
    ]
    for line in tables.table(columns, rows, max(cells, 22)):
        assert tables.width(line) <= max(cells, 22)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_sparse_elsewhere() -> None:
    terminal, file = _Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = Progress(stream)
        for step in range(50):
            progress(f"step {step}\x1b[2J", step / 50)
        progress.close()
    assert "\n" not in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert len(file.getvalue().splitlines()) == 2
    assert "step 49" in file.getvalue()
    assert bar(0.5).count("━") == 10


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20),
        ("-3", -3),
        ("1e-3", 0.001),
        ("0.5", 0.5),
        ("true", True),
        ("False", False),
        ("cosine", "cosine"),
        ("", ""),
        ("on", "on"),
        ("nan", "nan"),
        ("-inf", "-inf"),
        ("1e999", "1e999"),
        ("1" * 30, float("1" * 30)),
        (7, 7),
    ],
)
def test_values_are_typed(text: str, value: object) -> None:
    assert values.typed(text) == value
    assert type(values.typed(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("host", "host"),
        ("ann@host", "ann@host"),
        ("ann@host:2222", "ann@host:2222"),
        ("[::1]:2222", "[::1]:2222"),
        ("ann@[fe80::1]", "ann@[fe80::1]"),
        ("::1", "[::1]"),
        ("ssh://ann@host:22", "ann@host"),
    ],
)
def test_ssh_addresses(text: str, told: str) -> None:
    assert str(values.ssh_address(text)) == told


@pytest.mark.parametrize(
    "text", ["", "host:0", "host:70000", "host:x", "-oX=y", "a b", "ann@", "-x@host", "h\nost"]
)
def test_no_ssh_addresses(text: str) -> None:
    with pytest.raises(UsageError):
        values.ssh_address(text)


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(0, 8))
def test_the_tail_of_a_log_is_its_last_lines(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], n: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_bytes(b"".join(part.replace(b"\n", b"") + b"\n" for part in parts))
    whole = list(split(_chunks(path, 0)))
    assert list(split(_chunks(path, _start(path, n)))) == (whole[-n:] if n else [])


def test_log_lines_are_cleaned_and_never_endless() -> None:
    said = list(split(iter([(0, b"a\x1b[31mb\x1b[0m\r\n50%\r100%\nx" + b"y" * 40000)])))
    assert said[:2] == ["ab", "100%"]
    assert max(len(line) for line in said) <= 16 * 1024


def test_json_has_no_nan() -> None:
    assert plain(
        {"a": float("nan"), "b": [float("inf"), 1.5], "c": OperationState.DONE, "d": Path("/x")}
    ) == {
        "a": None,
        "b": [None, 1.5],
        "c": "done",
        "d": "/x",
    }


def _operation(**question: object) -> Operation:
    return Operation("op", "instance.add", "", {}, "key", OperationState.NEEDS_YOU, question=question)


@pytest.mark.parametrize(
    ("said", "accepted"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_host_key_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, accepted: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    answer = Terminal(lambda: None).ask(
        _operation(kind="host_key", host="h\x1b[2J", fingerprint="SHA256:abc")
    )
    assert (answer is not None) is accepted
    out, err = capsys.readouterr()
    assert out == ""
    assert "SHA256:abc" in err
    assert "\x1b" not in err


def test_a_passphrase_never_goes_into_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_a, **_k: "open sesame")
    answer = Terminal(lambda: None).ask(_operation(kind="passphrase", key_file="id_ed25519"))
    assert answer is not None
    assert answer.secrets == {"passphrase": "open sesame"}
    assert "open sesame" not in str(answer.reply)


def test_services_name_their_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    home = Paths(tmp_path / "my 100% home")
    systemd = install(home, "linux")
    assert '"' + str(home.home).replace("%", "%%") + '"' in systemd.file.read_text()
    launchd = install(home, "darwin")
    assert str(home.home) in launchd.file.read_text()
    assert install(Paths(tmp_path / "other"), "linux").file != systemd.file


def test_wilson() -> None:
    low, high = wilson(348, 360)
    assert (round(low, 4), round(high, 4)) == (0.9426, 0.9808)
    assert wilson(0, 10)[0] == 0.0
