"""Jobs on models with real processes, here and over SSH; the trainer is one that learns nothing."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.home import Home, wait_until
from tests.support.sshd import Sshd

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.data import add_dataset

FAKE = Path(__file__).parents[1] / "support" / "fake_trainer"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "laptop" / "home", {"PYTHONPATH": str(FAKE)})
    yield made
    made.close()


def add_host(home: Home, server: Sshd, name: str = "box") -> None:
    home.json(
        "instance", "add", name, "--ssh", f"{server.user}@{server.address}:{server.port}",
        "--key", str(server.user_key), "--root", str(server.root), "--accept-host-key", server.fingerprint,
    )  # fmt: skip


def train(home: Home, *words: str, on: str = "local") -> dict[str, Any]:
    with closing(Catalog.open(home.paths)) as catalog:  # in this process, which has loaded what it takes
        if not catalog.datasets.list():
            add_dataset(catalog, "digits", "digits")
    run: dict[str, Any] = home.json(
        "run", "start", "--dataset", "digits", "--on", on, "--name", "first", "--follow", *words
    )
    if "none" not in words:  # what it left is fetched by an operation of its own, soon after the end
        wait_until(lambda: is_pulled(home), 30, "the pull")
    return run


def is_pulled(home: Home) -> bool:
    """Whether something was fetched."""
    listed = home.json("operation", "list", "--all")
    return any((one["kind"], one["state"]) == ("run.pull", "done") for one in listed)


def files(home: Home, run: str) -> dict[str, bool]:
    """The names of a run's files, and whether each is here."""
    return {one["name"]: bool(one["local"]) for one in home.json("run", "show", run)["artifacts"]}


def test_evaluate_and_compress_on_this_machine(home: Home) -> None:
    train(home)
    judged = home.json("model", "evaluate", "first")
    assert (judged["model"], judged["dataset"], judged["split"], judged["n"]) == (
        "first@1",
        "digits",
        "test",
        360,
    )
    assert judged["given"] == {"model.onnx": "graph of first", "model.safetensors": "weights of first"}
    assert "/model/" in judged["place"]
    made = home.json("model", "compress", "first", "--max-drop", "3", "--set", "epochs=1")
    assert (made["max_drop"], made["measured"], [one["id"] for one in made["variants"]]) == (
        3, 2, ["int8", "pruned"],
    )  # fmt: skip
    names = [(one["name"], one["parent"]) for one in home.json("model", "list")]
    assert names == [("first", None), ("first-pruned", "first@1"), ("first-int8", "first@1")]
    small = home.json("model", "show", "first-int8")
    assert [one["name"] for one in small["files"]] == ["model.onnx"]
    assert Path(small["files"][0]["local"]).read_text() == "int8 of first@1"
    assert small["lineage"] == ["first@1"]
    target = home.paths.home / "small.onnx"
    assert home.run("model", "export", "first-int8", str(target)).status == 0
    assert target.read_text() == "int8 of first@1"
    again = home.json("model", "evaluate", "first-int8", "--split", "validation")
    assert again["given"] == {"model.onnx": "int8 of first@1"}
    whole = home.json("model", "show", "first")
    assert [one["split"] for one in whole["evaluations"]] == ["test", "test"]
    assert [one["name"] for one in whole["variants"]] == ["first-pruned", "first-int8"]
    assert len(home.json("run", "list")) == 1
    assert {one["kind"] for one in home.json("run", "list", "--jobs")} == {"train", "evaluate", "compress"}
    text = home.run("model", "compress", "first").out
    assert "◐ undecided" in text
    assert "360 rows cannot tell a drop of 0.5 point; 765 could." in text


def test_demo_is_the_whole_loop(home: Home) -> None:
    answer = home.run("demo", "--headless", "--max-drop", "3")
    assert answer.status == 0, answer.err + home.log()
    for part in ("95% interval", "Worst errors", "May lose  3.000 points", "◐ undecided"):
        assert part in answer.out
    assert [one["kind"] for one in home.json("run", "list", "--jobs")] == ["compress", "evaluate", "train"]


@pytest.mark.services  # takes as long as one
def test_an_interrupted_compression_goes_on(home: Home, tmp_path: Path) -> None:
    train(home)
    go = tmp_path / "go"
    with home.popen("model", "compress", "first", "--set", f"hold={go}") as waiting:
        (run,) = wait_until(
            lambda: [
                one
                for one in home.json("run", "list", "--jobs", "--filter", "status:running")
                if one["progress"].get("text") == "Doing compress"
            ],
            60,
            "the job",
        )
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert "goes on" in err
    go.touch()
    wait_until(lambda: home.json("run", "show", run["id"])["status"] == "succeeded", 30, "the end")
    assert len(home.json("model", "list")) == 3


def test_what_fails_says_why(home: Home, tmp_path: Path) -> None:
    train(home)
    home.json("dataset", "add", "wine", "wine")
    missing = home.run("--json", "model", "evaluate", "none")
    assert (missing.status, missing.json["error"]["code"]) == (3, "not_found")
    other = home.run("--json", "model", "evaluate", "first", "--dataset", "wine")
    assert (other.status, other.json["error"]["code"]) == (4, "incompatible")
    split = home.run("--json", "model", "compress", "first", "--max-drop", "-1")
    assert split.status == 2
    for number in range(40):
        folder = tmp_path / "two" / f"class{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.frombytes("L", (8, 8), random.Random(number).randbytes(64)).save(folder / f"{number}.png")
    home.json("dataset", "add", "two", str(tmp_path / "two"))
    told = home.run("--json", "model", "evaluate", "first", "--dataset", "two")
    assert (told.status, told.json["error"]["code"]) == (5, "failed")
    assert "first@1 knows 10 classes, two has others." in told.json["error"]["message"]


def test_pull_policy_and_what_was_left(home: Home) -> None:
    run = train(home, "--set", "left-big=5000", "--set", "left-small=5", "--pull", "best")["id"]
    wait_until(lambda: files(home, run).get("report.json"), 30, "the pull")
    assert files(home, run) == {
        "big.bin": False, "small.bin": False,
        "model.onnx": True, "model.safetensors": True, "report.json": True,
    }  # fmt: skip
    assert "2 left on the host" in home.run("run", "show", run).out
    assert home.run("run", "pull", run, "none.bin").status == 3
    assert files(home, home.json("run", "pull", run, "big.bin")["id"])["big.bin"]
    assert not files(home, run)["small.bin"]
    assert all(files(home, home.json("run", "pull", run)["id"]).values())


@pytest.mark.services  # takes as long as one
def test_weights_of_one_training_begin_another(home: Home) -> None:
    train(home)
    second = home.json(
        "run",
        "start",
        "--dataset",
        "digits",
        "--weights",
        "first",
        "--name",
        "second",
        "--pull",
        "none",
        "--follow",
    )
    assert home.json("model", "show", "second")["parent"] == "first@1"
    assert (
        home.json("model", "show", "second")["reports"]["evaluation/test"]["begun_from"] == "weights of first"
    )
    assert not any(files(home, second["id"]).values())
    judged = home.json("model", "evaluate", "second")
    assert judged["given"]["model.onnx"] == "graph of second"
    assert judged["place"].endswith(f"jobs/{second['id']}/a0001/artifacts")
    assert not any(files(home, second["id"]).values())


@pytest.mark.services
@pytest.mark.sshd
def test_over_ssh_in_place_and_from_another_host(home: Home, make_sshd: Callable[..., Sshd]) -> None:
    server = make_sshd()
    add_host(home, server)
    run = train(home, "--pull", "none", on="box")
    there = home.json("model", "evaluate", "first", "--on", "box")
    assert there["place"] == f"{server.root}/jobs/{run['id']}/a0001/artifacts"
    here = home.json("model", "evaluate", "first")
    assert here["given"] == there["given"]
    assert all(files(home, run["id"]).values())
    made = home.json("model", "compress", "first", "--on", "box")
    assert made["run"]
    assert [one["name"] for one in home.json("model", "list")] == ["first", "first-pruned", "first-int8"]
    assert home.json("model", "evaluate", "first-pruned", "--on", "box")["given"] == {
        "model.onnx": "pruned of first@1"
    }


@pytest.mark.services
@pytest.mark.sshd
def test_a_lost_catalog_has_jobs_variants_and_kinds_again(
    home: Home, make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = make_sshd()
    add_host(home, server)
    train(home, on="box")
    home.json("model", "evaluate", "first", "--on", "box")
    home.json("model", "compress", "first", "--on", "box")
    other = Home(tmp_path / "other" / "home", {"PYTHONPATH": str(FAKE)})
    try:
        other.json("dataset", "add", "digits", "digits")
        add_host(other, server)
        assert len(other.json("run", "import", "--from", "box")) == 3
        wait_until(lambda: len(other.json("model", "list")) == 3, 30, "the models")
        whole = other.json("model", "show", "first")
        assert [one["parent"] for one in whole["variants"]] == ["first@1", "first@1"]
        assert [one["split"] for one in whole["evaluations"]] == ["test", "test"]
        assert [one["status"] for one in whole["compressions"]] == ["succeeded"]
        assert {one["kind"] for one in other.json("run", "list", "--jobs")} == {
            "train",
            "evaluate",
            "compress",
        }
    finally:
        other.close()


@pytest.mark.services
@pytest.mark.sshd
def test_cleaning_keeps_results_that_are_only_there(home: Home, make_sshd: Callable[..., Sshd]) -> None:
    server = make_sshd()
    add_host(home, server)
    run = train(home, "--set", "left-big=5000", on="box")["id"]
    wait_until(lambda: files(home, run).get("report.json"), 30, "the pull")
    (server.root / "trainer" / ("e" * 64)).mkdir()
    (server.root / "thesis").mkdir()
    (server.root / "data" / "mine").mkdir()

    def listed() -> dict[str, dict[str, Any]]:
        found = home.json("instance", "clean", "box", "--dry-run")
        assert found["removed"] is None
        assert "thesis" in found["untouched"]
        return {one["name"].partition("/")[0]: one for one in found["entries"] if one["goes"]}

    assert set(listed()) == {"trainer", "data"}
    assert home.run("instance", "clean", "box").status == 4
    done = home.json("instance", "clean", "box", "--yes")
    assert done["removed"] == 2
    assert (server.root / "data" / "mine").is_dir()
    assert not (server.root / "trainer" / ("e" * 64)).exists()
    assert home.json("dataset", "show", "digits")["instances"] == []
    assert (server.root / "jobs" / run / "a0001").is_dir()
    home.json("run", "pull", run)
    assert set(listed()) == {"jobs"}
    assert home.json("instance", "clean", "box", "--yes")["removed"] == 1
    assert not (server.root / "jobs" / run / "a0001").exists()
    assert all(files(home, run).values())
    assert home.json("model", "evaluate", "first", "--on", "box")["n"] == 360


@pytest.mark.services
@pytest.mark.sshd
def test_a_run_is_given_up_and_comes_back(home: Home, make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd()
    add_host(home, server)
    go = tmp_path / "go"
    home.json("dataset", "add", "digits", "digits")
    run = home.json("run", "start", "--dataset", "digits", "--on", "box", "--set", f"hold={go}")["id"]
    wait_until(lambda: home.json("run", "show", run)["status"] == "running", 60, "the run")
    server.stop()
    home.close()
    assert home.run("run", "abandon", run).status == 4
    assert home.json("run", "abandon", run, "--yes")["status"] == "lost"
    assert home.run("run", "abandon", run, "--yes").status == 4
    go.touch()
    server.start()
    home.json("run", "import", "--from", "box")
    wait_until(lambda: home.json("run", "show", run)["status"] == "succeeded", 30, "the proof")
    assert len(home.json("model", "list")) == 1


def test_operations_are_listed(home: Home) -> None:
    train(home)
    wait_until(lambda: home.json("operation", "list") == [], 30, "all of it")
    found = home.json("operation", "list", "--all")
    assert {"run.start", "run.pull"} <= {one["kind"] for one in found}
    shown = home.json("operation", "show", found[-1]["id"][:14])
    assert (shown["about"], shown["state"]) == ("first", "done")
    assert home.run("operation", "show", "none").status == 3


def test_a_training_is_judged_and_shrunk_by_itself(home: Home) -> None:
    run = train(home, "--then", "evaluate", "--then", "compress", "--max-drop", "3")

    def both() -> list[dict[str, Any]]:
        jobs = [one for one in home.json("run", "list", "--jobs") if one["id"] != run["id"]]
        return jobs if [one["status"] for one in jobs] == ["succeeded"] * 2 else []

    jobs = wait_until(both, timeout=60)
    assert sorted(one["name"] for one in jobs) == ["first-compress-1", "first-evaluate-1"]
    evaluated, compressed = sorted(jobs, key=lambda one: one["created_at"])
    assert evaluated["ended_at"] <= compressed["created_at"]  # they do not disturb each other's timing
