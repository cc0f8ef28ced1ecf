"""Runs as files for others: reports that tell no machine, path or secret; points; records."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from array import array
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.support import seed, seed_models

from cloudtui.cli.main import main
from cloudtui.handlers.export import export
from cloudtui.handlers.session import Session
from cloudtui.handlers.writing import free
from cloudtui.reporting.chart import Curve, chart, ticks
from cloudtui.reporting.markup import Paper, ours
from cloudtui.reporting.records import Stretch
from cloudtui.reporting.scrub import HOST, PATH
from cloudtui.secrecy import SECRET
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.errors import FailedError, RefusedError, UsageError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.run import RunState

HOSTILE = "</script></style></title><img src=x onerror=alert(1)>\"'&"
CANARIES = (
    "canaryhost", "canary-box", "203.0.113.77", "2001:db8::77", "canaryuser", "/srv/canary", "canary folder",
    "canary-home", "canary.example.com", "canaryenv-value", "canarylog", "canarytoken",
    "hf_canary0123456789abcdef", "C:\\canary",
)  # fmt: skip


class Reading(HTMLParser):
    """What a browser would make of a page: its elements, its texts, and what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [(tag, name) for name, _ in attrs if name in {"src", "href", "onerror", "onload"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(path: Path) -> Reading:
    return Reading(path.read_text())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    seed_models.workshop(made).catalog.close()
    return made


@pytest.fixture
def write(home: Path, tmp_path: Path) -> Callable[..., Path]:
    def go(name: str, *runs: str, **options: Any) -> Path:
        session = Session(Paths(home))
        try:
            return export(session, runs, str(tmp_path / name), **options).file
        finally:
            session.close()

    return go


def spoiled(home: Path) -> str:
    """A run with something to hide in every field; returns its id."""
    catalog = Catalog.open(Paths(home))
    machine = catalog.instances.add(
        Instance(
            "c0000000000canar", "canary-box", "ssh", Address("canaryhost.lab", "canaryuser", 2222),
            facts={"hostname": "canaryhost"}, created_at=seed.NOW,
        )
    )  # fmt: skip
    where = "canaryuser@203.0.113.77:/srv/canary/x and [2001:db8::77]"
    params = {
        "data": "/srv/canary folder/train",
        "nested": {"url": "https://canary.example.com/x", "api_key": "canarytoken"},
        "auth_token": "canarytoken", "win": "C:\\canary\\data",
        "other": ["~/canary-home/x", "hf_canary0123456789abcdef"],
        "note": f"ran on canaryhost as canaryuser, {where}",
    }  # fmt: skip
    run = seed.add_run(
        catalog, "spoiled", RunState.FAILED, on=machine.id, age_s=500, params=params, log="canarylog\n",
        columns={"train/loss": Points(array("q", [1, 2]), array("d", [1.0, 2.0]), array("d", [0.5, 0.25]))},
        reason=f"No such file: '/srv/canary folder/x' on canaryhost ({where})", exit_code=1,
    )  # fmt: skip
    spec = {"env": {"KEY": "canaryenv-value"}, "command": ["python", "train.py", "--pin", "canarytoken"]}
    with catalog.write("run") as db:
        db.execute("UPDATE run SET spec = ? WHERE id = ?", (json.dumps(spec), run.id))
    catalog.runs.tag(run.id, add=["canary-box", "x-canaryenv-value"])
    catalog.runs.set_note(run.id, f"scp {where}\nsee https://canary.example.com and /srv/canary/log")
    report = seed_models.classification() | {"n": 10, "model": "canary-box"}
    report["classes"][0]["label"] = "canaryhost"
    catalog.runs.add_report(run.id, 1, "evaluation/test", seed.NOW, report)
    tried = seed_models.compression()
    tried["variants"][0] |= {"id": "canaryuser", "why": "cannot read /srv/canary/model.onnx"}
    catalog.runs.add_report(run.id, 1, "compression", seed.NOW, tried)
    catalog.close()
    return run.id


def test_a_report_tells_no_machine_no_person_no_path_and_no_secret(
    home: Path, write: Callable[..., Path]
) -> None:
    run = spoiled(home)
    for runs in ((run,), (run, "resnet-base")):
        text = write("spoiled.html", *runs, yes=True).read_text()
        assert [canary for canary in CANARIES if canary in text] == []
        assert "box-1" not in text
        assert SECRET in text
        assert PATH in text
    assert "spoiled" in text


def test_a_report_keeps_its_keys_and_looks_into_lists(home: Path, write: Callable[..., Path]) -> None:
    catalog = Catalog.open(Paths(home))
    catalog.instances.add(
        Instance("c0000000000train", "train", "ssh", Address("train", "bob", 22), created_at=seed.NOW)
    )
    params = {
        "train.lr": 0.5, "max_tokens": 512, "use_auth": True,
        "logins": [{"user": "x", "pass": "canary1"}, [{"deployKey": "canary2"}]], "tokens": ["canary3"],
    }  # fmt: skip
    points = Points(array("q", [1, 2]), array("d", [1.0, 2.0]), array("d", [0.5, 0.25]))
    local = catalog.instances.ensure_local()
    seed.add_run(
        catalog, "deep", RunState.SUCCEEDED, on=local.id, age_s=50, params=params,
        columns={"train/loss": points},
    )  # fmt: skip
    catalog.close()
    page = read(write("deep.html", "deep"))
    assert "canary" not in " ".join(page.texts)
    assert {"train/loss", "train", "train.lr", "512", "true"} <= set(page.texts)
    assert HOST not in page.texts


def test_hostile_names_stay_text(home: Path, write: Callable[..., Path]) -> None:
    catalog = Catalog.open(Paths(home))
    local = catalog.instances.ensure_local()
    points = Points(array("q", [1, 2, 3]), array("d", [1.0, 2.0, 3.0]), array("d", [0.5, math.nan, 0.25]))
    run = seed.add_run(
        catalog, HOSTILE, RunState.SUCCEEDED, on=local.id, age_s=500, columns={HOSTILE: points},
        params={HOSTILE: HOSTILE}, reason=HOSTILE,
    )  # fmt: skip
    catalog.runs.tag(run.id, add=[HOSTILE])
    catalog.runs.set_note(run.id, HOSTILE + "\x1b]8;;http://x\x07\u202e")
    bad = seed_models.classification()
    bad["classes"][0]["label"] = HOSTILE
    bad["metrics"][HOSTILE] = HOSTILE
    bad["confusion"][0][0] = HOSTILE
    bad["baselines"] = [{"name": HOSTILE, "metrics": None}, 3]
    catalog.runs.add_report(run.id, 1, f"evaluation/{HOSTILE}", seed.NOW, bad)
    catalog.runs.add_report(run.id, 1, "evaluation/odd", seed.NOW, {"classes": 3, "confusion": "x", "n": "y"})
    catalog.close()
    for runs in ((run.id,), (run.id, "resnet-base")):
        page = read(write("hostile.html", *runs, yes=True))
        assert not {"script", "img", "iframe", "object", "link"} & set(page.tags)
        assert page.outside == []
        assert page.tags.count("style") == page.tags.count("head") == 1
        assert any("onerror=alert(1)" in text for text in page.texts)


def test_a_report_stands_alone_and_says_all(write: Callable[..., Path]) -> None:
    path = write("one.html", "resnet-base")
    text, page = path.read_text(), read(path)
    assert page.outside == []
    assert "http" not in text.replace("http-equiv", "")
    assert "prefers-color-scheme:dark" in text
    said = " ".join(page.texts)
    for expected in ("succeeded", "Trouser", "[95.35%, 96.15%]", "prune50-kd-int8", "✓ passes", "★ chosen",
                     "validation/accuracy", "batch_size", "Attempts", "0.8825"):  # fmt: skip
        assert expected in said
    assert page.tags.count("figure") == 2


def test_a_comparison_shows_what_differs(home: Path, write: Callable[..., Path]) -> None:
    catalog = Catalog.open(Paths(home))
    local = catalog.instances.ensure_local()
    for name, lr in (("left", 0.1), ("right", 0.2)):
        seed.add_run(
            catalog, name, RunState.SUCCEEDED, on=local.id, age_s=50,
            params={"lr": lr, "same": "alike"}, columns=seed.curves(20, int(lr * 10)),
        )  # fmt: skip
    catalog.close()
    page = read(write("two.html", "left", "right"))
    said = " ".join(page.texts)
    assert "0.1" in said
    assert "0.2" in said
    assert "alike" not in said
    assert "3 settings are the same in all." in said
    assert page.tags.count("figure") == 4
    assert said.count("★") == 4


def test_curves_are_drawn_where_there_is_something_to_draw(home: Path, write: Callable[..., Path]) -> None:
    catalog = Catalog.open(Paths(home))
    local = catalog.instances.ensure_local()
    values = {
        "nothing": [math.nan, math.inf], "one": [3.0], "flat": [2.0, 2.0], "wide": [1e-8, 1e8],
        "gap": [1, math.nan, 2],
        "far": [-1.7e308, 1.7e308],
    }  # fmt: skip
    columns = {
        key: Points(array("q", range(len(v))), array("d", range(len(v))), array("d", v))
        for key, v in values.items()
    }
    seed.add_run(catalog, "odd", RunState.SUCCEEDED, on=local.id, age_s=50, columns=columns)
    catalog.close()
    path = write("odd.html", "odd")
    text = path.read_text()
    said = " ".join(read(path).texts)
    assert said.count("No finite values.") == 2
    assert said.count("logarithmic") == 1
    assert 'd="nan' not in text
    assert "inf" not in text.replace("font", "").partition("</style>")[2].replace("info", "")


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 10.0) == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert ticks(0.11, 0.52) == pytest.approx([0.2, 0.3, 0.4, 0.5])
    for low, high in ((1e300, 1.1e300), (0.0, 5e-320), (-3e-9, 1e-9)):
        assert all(low <= tick <= high for tick in ticks(low, high))


@pytest.mark.parametrize("title", ["train/lr", "train/loss"])
@pytest.mark.parametrize("low", [1e-3, 0.3, 5e-324, 0.0, -1.0, 1e300])
def test_values_and_steps_that_hardly_differ_are_drawn(title: str, low: float) -> None:
    far = 2.0**53
    for high in (low, math.nextafter(low, math.inf)):
        for steps in ((1.0, 2.0), (far, far), (far, far + 2), (1e300, 1e300)):
            ends = zip(steps, (low, high), strict=True)
            drawn = chart(Paper(str), title, [Curve(ours("one"), [Stretch(x, y, y, y) for x, y in ends])])
            assert "<path" in drawn
            assert not {"nan", "inf"} & set(re.findall("[a-z]+", drawn.partition("<path")[2]))


def test_points_as_csv(home: Path, write: Callable[..., Path]) -> None:
    catalog = Catalog.open(Paths(home))
    local = catalog.instances.ensure_local()
    points = Points(
        array("q", [1, 2, 3]), array("d", [1.0, 2.5, 3.0]), array("d", [0.5, math.nan, -math.inf])
    )
    seed.add_run(catalog, 'a, "b"', RunState.SUCCEEDED, on=local.id, age_s=50, columns={"loss": points})
    catalog.close()
    with write("points.csv", 'a, "b"', "resnet-lr3").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["run", "key", "step", "time", "value"]
    assert rows[1] == ['a, "b"', "loss", "1", "1970-01-01T00:00:01.000Z", "0.5"]
    assert [row[4] for row in rows[1:4]] == ["0.5", "nan", "-inf"]
    assert {row[0] for row in rows[1:]} == {'a, "b"', "resnet-lr3"}


def test_records_as_json_are_those_of_the_commands(
    home: Path, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(write("all.json", "resnet-base", "resnet-lr3").read_text())["runs"]
    assert [one["run"]["name"] for one in found] == ["resnet-base", "resnet-lr3"]
    main(["--home", str(home), "run", "show", "resnet-base", "--json"])
    assert found[0]["run"] == json.loads(capsys.readouterr().out)
    main(["--home", str(home), "run", "metrics", "resnet-base", "--json"])
    assert found[0]["metrics"] == json.loads(capsys.readouterr().out)


def test_what_cannot_be_written_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("run.pdf", "run", ".html"):
        with pytest.raises(UsageError, match="cannot be exported"):
            write(name, "resnet-base")
    (tmp_path / "there.html").write_text("mine")
    with pytest.raises(RefusedError, match="exists"):
        write("there.html", "resnet-base")
    assert (tmp_path / "there.html").read_text() == "mine"
    assert write("there.html", "resnet-base", yes=True).read_text() != "mine"
    with pytest.raises(FailedError, match="no folder"):
        write("nowhere/x.html", "resnet-base")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        write("folder.html", "resnet-base")


def test_a_write_that_fails_leaves_nothing(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FailedError, match="No space left"):
        write("one.html", "resnet-base")
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_says_what_it_wrote(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--home", str(home), "run", "export", "resnet-base", "resnet-lr3", str(tmp_path / "two.html")]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["format"] == "html"
    assert len(said["runs"]) == 2
    assert said["size_bytes"] == (tmp_path / "two.html").stat().st_size
    assert main(words) == 4
    assert main([*words, "--force"]) == main([*words, "--yes"]) == 0
    capsys.readouterr()
    assert main([*words[:4], "nobody", str(tmp_path / "x.html")]) == 3
    assert main([*words[:5], str(tmp_path / "x.doc")]) == 2


def test_a_free_name_is_a_file_name(tmp_path: Path) -> None:
    assert free(tmp_path, "a/b:c", ".html").name == "a-b-c.html"
    shutil.copy(__file__, tmp_path / "a.html")
    assert free(tmp_path, "a", ".html").name == "a-2.html"
    assert free(tmp_path, "../..", ".svg").name == "cloudtui.svg"
