"""The job that makes a version where its source lies, with nothing but what is shipped for it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from cloudtui_engine.data import Wishes, build_dataset, in_place, load_manifest, verify
from cloudtui_engine.errors import BadInputError, CloudtuiError, FailedError, NotFoundError
from cloudtui_engine.handlers import stage
from cloudtui_host import journal

# As -S leaves it: the standard library, then what is shipped, the host's package, and these libraries.
_START = """
import runpy, sys
config, *folders = sys.argv[1:]
sys.path[:0] = folders
sys.argv = ["in_place", config]
try:
    runpy.run_module("cloudtui_engine.data.in_place", run_name="__main__", alter_sys=True)
finally:
    strangers = {"paramiko", "textual", "sqlite_utils", "sqlite3", "torch", "sklearn"}
    print("strangers:", sorted(strangers & set(sys.modules)))
"""
_LIBRARIES = {"arrays": (), "pictures": ("PIL", "pillow"), "tables": ("polars", "_polars")}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


class Host:
    """An attempt's folder, what was shipped, and a python with chosen libraries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "root" / "data"
        self.attempt = folder / "root" / "jobs" / "j" / "a0001"
        self.artifacts = self.attempt / "artifacts"
        self.attempt.mkdir(parents=True)
        self.shipped = folder / "shipped"
        for file in stage._preparer_files():
            target = self.shipped / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.source, target)

    def libraries(self, *names: str) -> Path:
        site = self.folder / "site"
        site.mkdir(exist_ok=True)
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if entry.name.startswith(("numpy", *names)) and not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
        return site

    def config(self, source: Path, **wishes: Any) -> Path:
        path = self.attempt / "config.json"
        config = {"dataset": "things", "source": str(source), "data": str(self.data), "wishes": wishes}
        path.write_text(json.dumps(config))
        return path

    def env(self) -> dict[str, str]:
        return {
            "CLOUDTUI_JOURNAL": str(self.attempt / "trainer.jsonl"),
            "CLOUDTUI_ATTEMPT": str(self.attempt),
            "CLOUDTUI_ARTIFACTS": str(self.artifacts),
            "PATH": os.environ["PATH"],
        }

    def words(self, config: Path, kind: str) -> list[str]:
        beside = Path(journal.__file__).parents[1]
        bare = self.folder / "beside"
        bare.mkdir(exist_ok=True)
        if not (bare / "cloudtui_host").exists():
            (bare / "cloudtui_host").symlink_to(beside / "cloudtui_host")
        folders = [self.shipped, bare, self.libraries(*_LIBRARIES[kind])]
        return [sys.executable, "-I", "-S", "-c", _START, str(config), *map(str, folders)]

    def run(self, config: Path, kind: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(config, kind), env=self.env(), capture_output=True, text=True, timeout=100
        )

    def records(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.attempt / "trainer.jsonl").read_bytes().splitlines()
        return [one for one in map(journal.decode_line, lines) if one["kind"] == kind]


def table(folder: Path) -> Path:
    path = folder / "source" / "things.csv"
    path.parent.mkdir()
    rows = [f"{number * 7 % 50},{'red' if number % 3 else 'blue'},{'ab'[number % 2]}" for number in range(60)]
    path.write_text("\n".join(["size,colour,kind", *rows]) + "\n")
    return path


def pictures(folder: Path) -> Path:
    draw = np.random.default_rng(1)
    for number in range(24):
        path = folder / "source" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 255, (8, 8), dtype=np.uint8)).save(path)
    return folder / "source"


def arrays(folder: Path) -> Path:
    source = folder / "source"
    source.mkdir()
    labels = (np.arange(60) % 3).astype(np.uint8)
    pixels = np.random.default_rng(1).integers(0, 255, (60, 6, 5)).astype(np.uint8)
    for name, array in (("images-idx3-ubyte", pixels), ("labels-idx1-ubyte", labels)):
        head = np.array([0x0800 + array.ndim, *array.shape], dtype=">u4").tobytes()
        (source / name).write_bytes(head + array.tobytes())
    return source


@pytest.mark.parametrize(
    ("make", "kind"),
    [(table, "tables"), (pictures, "pictures"), (arrays, "arrays")],
    ids=["table", "pictures", "arrays"],
)
def test_it_makes_the_version_that_is_made_here_with_nothing_but_what_is_shipped(
    host: Host, tmp_path: Path, make: Callable[[Path], Path], kind: str
) -> None:
    source = make(tmp_path)
    done = host.run(host.config(source), kind)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "strangers: []" in done.stdout
    here = build_dataset(str(source), tmp_path / "here", name="things", wishes=Wishes())
    assert [one.name for one in host.data.iterdir()] == [here.sha256]
    assert verify(host.data / here.sha256).data == here.data
    assert (host.artifacts / "manifest.json").read_bytes() == (
        host.data / here.sha256 / "manifest.json"
    ).read_bytes()
    assert host.records("done")[0]["reason"] == "completed"
    assert any("text" in one for one in host.records("progress"))
    assert not (host.attempt / "made").exists()


def imports(source: str) -> Iterator[str]:
    """Every module that is imported wherever it stands, but for what only a type checker reads."""

    class Seen(ast.NodeVisitor):
        names: ClassVar[list[str]] = []

        def visit_If(self, node: ast.If) -> None:
            if ast.unparse(node.test) != "TYPE_CHECKING":
                self.generic_visit(node)

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            self.names += [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]

        def visit_Import(self, node: ast.Import) -> None:
            self.names += [one.name for one in node.names]

    seen = Seen()
    seen.names = []  # type: ignore[misc]
    seen.visit(ast.parse(source))
    yield from seen.names


def test_exactly_what_the_job_imports_is_shipped(host: Host) -> None:
    shipped = {file.path: file.source for file in stage._preparer_files()}
    modules = {path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path for path in shipped}
    engine = Path(in_place.__file__).parents[2]
    needed: set[str] = set()
    todo = ["cloudtui_engine.data.in_place"]
    while todo:
        name = todo.pop()
        if name in needed or not name.startswith(("cloudtui_engine", "cloudtui_features")):
            continue
        path = engine / name.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if file.is_file():
            needed.add(name)
            todo += [*imports(file.read_text()), name.rpartition(".")[0]]
    assert set(modules) == needed


def test_it_runs_on_the_oldest_python_that_may_be_chosen(host: Host) -> None:
    words = ["-t=3.10-", "--no-tips", "--eval-annotations", "--exclude", "typing.Self"]
    done = subprocess.run(
        [sys.executable, "-c", "import vermin; vermin.main()", *words, str(host.shipped)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


SLOW = """
import signal, sys
from pathlib import Path
from cloudtui_engine.data import in_place
def slow(source, into, **_):
    folder = into / ".making-1-x"
    folder.mkdir(parents=True)
    (folder / "train-x.npy").write_bytes(b"half")
    print("half", flush=True)
    signal.pause()
in_place.build_dataset = slow
sys.exit(in_place.main(sys.argv[1]))
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle_nothing_half_is_left_where_versions_lie(
    host: Host, tmp_path: Path, how: signal.Signals
) -> None:
    source = table(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, str(host.config(source))],
        env={**os.environ, **host.env()}, stdout=subprocess.PIPE, text=True,
    ) as job:  # fmt: skip
        assert job.stdout is not None
        assert job.stdout.readline() == "half\n"
        job.send_signal(how)
        status = job.wait(20)
    assert not host.data.exists()
    assert not host.artifacts.exists()
    if how is signal.SIGTERM:
        assert (status, host.records("done")[0]["reason"]) == (75, "stopped")
        assert not (host.attempt / "made").exists()
    again = host.attempt.with_name("a0002")
    again.mkdir()
    in_place.prepare(
        json.loads((host.attempt / "config.json").read_text()), again, again / "artifacts", _quiet, list
    )
    assert not (host.attempt / "made").exists(), "what a killed attempt left goes with the next one"
    assert (again / "artifacts" / "manifest.json").is_file()


def _quiet(_text: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def prepared(host: Host, source: Path, attempt: str = "a0001") -> str:
    config = json.loads(host.config(source).read_text())
    folder = host.attempt.with_name(attempt)
    return in_place.prepare(config, folder, folder / "artifacts", _quiet, list).sha256


def test_what_lies_there_already_is_verified_before_it_counts(host: Host, tmp_path: Path) -> None:
    source = table(tmp_path)
    first = prepared(host, source)
    inode = (host.data / first / "train-x.npy").stat().st_ino
    assert prepared(host, source, "a0002") == first
    assert (host.data / first / "train-x.npy").stat().st_ino == inode
    shard = host.data / first / "train-x.npy"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x00")
    with pytest.raises(BadInputError, match="differs from its manifest"):
        prepared(host, source, "a0003")
    assert not (host.attempt.with_name("a0003") / "artifacts").exists()


def test_the_source_may_be_gone_or_changed_later(host: Host, tmp_path: Path) -> None:
    source = table(tmp_path)
    first = prepared(host, source)
    source.write_text(source.read_text().replace("red", "green"))
    assert prepared(host, source, "a0002") != first
    source.unlink()
    assert verify(host.data / first).sha256 == first


def test_a_full_disk_says_which_machine_to_make_room_on(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = table(tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(FailedError, match="full") as failed:
        prepared(host, source)
    assert "on the host" in failed.value.hint
    assert not (host.attempt / "made").exists()
    assert not host.data.exists()


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("thing.csv", NotFoundError, "There is no"),
        ("things.csv/x", NotFoundError, "There is no"),
        ("loop", BadInputError, "Cannot read"),
        ("a\0b", BadInputError, "Cannot read"),
    ],
)
def test_a_source_that_is_not_there_is_told_with_names_like_it(
    tmp_path: Path, name: str, kind: type[CloudtuiError], told: str
) -> None:
    source = table(tmp_path)
    (source.parent / "loop").symlink_to("loop")
    with pytest.raises(kind, match=told) as failed:
        in_place.found(f"{source.parent}/{name}")
    assert failed.value.hint
    if name == "thing.csv":
        assert "things.csv" in failed.value.hint


def test_a_source_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = table(tmp_path)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # root may read everything
    with pytest.raises(BadInputError, match="permission denied"):
        in_place.found(str(source))


def test_an_error_is_told_in_the_journal_by_code(host: Host, tmp_path: Path) -> None:
    source = table(tmp_path)
    done = host.run(host.config(source, target="knid"), "tables")
    assert done.returncode == 1
    (event,) = host.records("event")
    assert (event["name"], event["data"]["code"]) == ("failed", "usage")
    assert "knid" in event["data"]["message"]
    assert host.records("done")[0]["reason"] == "failed"
    assert not host.artifacts.exists()


def test_a_wish_of_a_newer_cloudtui_is_passed_over() -> None:
    wishes = in_place.wishes_of({"wishes": {"target": "a", "leave_out": ["b"], "weather": "fine"}})
    assert wishes == Wishes(target="a", leave_out=("b",))


def test_a_manifest_nested_without_end_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"[" * 200_000)
    with pytest.raises(BadInputError, match="damaged"):
        load_manifest(tmp_path)
