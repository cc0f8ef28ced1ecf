"""The main job on this machine, as its user does it: real processes and the documented commands."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.home import Home, wait_until

from cloudtui_engine import lock


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    made.close()


def start_digits(home: Home, *words: str) -> str:
    home.json("dataset", "add", "digits", "digits")
    run = home.json("run", "start", "--dataset", "digits", "--on", "local", *words)
    assert run["status"] in {"queued", "staging", "starting", "running"}
    return str(run["id"])


def artifacts(home: Home, run: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = home.json("run", "show", run)["artifacts"]
    return found


def status(home: Home, run: str) -> str:
    return str(home.json("run", "show", run)["status"])


@pytest.mark.timeout(300)
@pytest.mark.services
def test_the_loop_trains_judges_and_shrinks(home: Home) -> None:
    started = start_digits(home, "--set", "epochs=3", "--name", "first")
    wait_until(lambda: status(home, started) == "succeeded", 100, "the training")
    wait_until(lambda: all(one["local"] for one in artifacts(home, started)), 30, "the pull")
    (run,) = home.json("run", "list")
    assert run["metrics"]["test/accuracy"]["last"] > 0.85
    files = {one["name"]: one for one in home.json("run", "show", run["id"])["artifacts"]}
    assert {"model.safetensors", "model.onnx", "report.json"} <= set(files)
    for one in files.values():
        content = Path(one["local"]).read_bytes()
        assert len(content) == one["size_bytes"]
        assert hashlib.sha256(content).hexdigest() == one["sha256"]
    (model,) = home.json("model", "list")
    assert home.run("model", "export", model["name"], str(home.paths.home / "mine.onnx")).status == 0
    assert (home.paths.home / "mine.onnx").stat().st_size == files["model.onnx"]["size_bytes"]
    judged = home.json("model", "evaluate", "first")
    assert (judged["model"], judged["n"], len(judged["confusion"])) == ("first@1", 360, 10)
    assert judged["metrics"]["accuracy"] == pytest.approx(
        run["metrics"]["test/accuracy"]["last"], abs=1 / 360
    )
    low, high = judged["confidence"]["accuracy"]
    assert low < judged["metrics"]["accuracy"] < high
    strict = home.json("model", "compress", "first", "--set", "methods=int8")
    (variant,) = strict["variants"]
    assert (variant["verdict"], strict["max_drop"]) == ("undecided", 0.5)
    assert "360 rows cannot tell" in variant["why"]
    loose = home.json("model", "compress", "first", "--max-drop", "3", "--set", "methods=int8")
    assert loose["variants"][0]["verdict"] in {"passes", "undecided"}
    assert loose["variants"][0]["size_ratio"] > 3
    small = home.json("model", "show", "first-int8@2")
    assert small["parent"] == "first@1"
    assert small["files"][0]["size_bytes"] == loose["variants"][0]["size_bytes"]
    again = home.json("model", "evaluate", "first-int8@2")
    assert again["metrics"]["accuracy"] == pytest.approx(loose["variants"][0]["accuracy"])


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_demo(home: Home) -> None:
    answer = home.run("demo", "--headless", "--epochs", "3", timeout=800)
    assert answer.status == 0, answer.err + home.log()
    assert "360 rows cannot tell" in answer.out


@pytest.mark.services  # three trainings take as long as one
def test_stopped_and_resumed_is_the_same_model_and_has_no_doubled_step(home: Home, tmp_path: Path) -> None:
    settings = (
        "--set",
        "epochs=3",
        "--set",
        "threads=1",
        "--set",
        "log_every=1",
        "--set",
        "checkpoint_every_steps=5",
    )
    whole = start_digits(home, *settings)
    wait_until(lambda: status(home, whole) == "succeeded", 100, "the whole run")
    broken = home.json("run", "again", whole)["id"]
    with closing(home.catalog()) as catalog:  # a command's look takes as long as an epoch
        wait_until(
            lambda: (found := catalog.metrics.summaries(broken).get("train/loss")) and found.count > 8,
            60,
            "some steps",
        )
    assert home.run("run", "stop", broken).status == 0
    wait_until(lambda: status(home, broken) == "stopped", 40, "the stop")
    assert home.run("run", "resume", broken).status == 0
    wait_until(lambda: status(home, broken) == "succeeded", 100, "the resumed run")
    hashes = [
        next(
            one["sha256"]
            for one in home.json("run", "show", run)["artifacts"]
            if one["name"] == "model.safetensors"
        )
        for run in (whole, broken)
    ]
    assert hashes[0] == hashes[1]
    first, second = (
        {one["key"]: (one["steps"], one["values"]) for one in home.json("run", "metrics", run)}
        for run in (whole, broken)
    )
    for key in ("train/loss", "validation/accuracy", "test/accuracy"):
        assert first[key] == second[key], key
    assert home.json("run", "show", broken)["attempt"] == 2


def test_the_engine_ends_by_itself_and_history_needs_none(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"CLOUDTUI_ENGINE_IDLE_S": "1"})
    try:
        answer = home.run("run", "script", "--on", "local", "--follow", "--", "sh", "-c", "echo done; exit 3")
        assert answer.status == 5, answer.err
        # It has said its end before it has let go of the lock.
        wait_until(lambda: not lock.is_held(home.paths), 20, "the engine's own end")
        (run,) = home.json("run", "list")
        assert (run["status"], run["exit_code"]) == ("failed", 3)
        assert "done" in home.run("run", "logs", run["id"]).out
        assert home.json("engine", "status")["running"] is False
        assert home.json("engine", "status")["crashes"] == 0
    finally:
        home.close()


def test_a_killed_supervisor_and_engine_leave_a_run_that_can_be_stopped(home: Home) -> None:
    run = home.json(
        "run", "script", "--on", "local", "--", "sh", "-c", "trap 'exit 75' TERM; while :; do sleep 0.1; done"
    )["id"]
    wait_until(lambda: status(home, run) == "running", 30, "running")
    home.kill_engine()
    for entry in Path("/proc").iterdir():
        line = (
            (entry / "cmdline").read_bytes() if entry.name.isdigit() and (entry / "cmdline").exists() else b""
        )
        if str(home.paths.local_root).encode() in line and b"supervis" in line:
            os.kill(int(entry.name), signal.SIGKILL)
    assert home.run("run", "stop", run).status == 0
    wait_until(lambda: status(home, run) in {"stopped", "lost"}, 60, "the end")


def test_exec_failure_setup_failure_and_exit_1_are_told_apart(home: Home) -> None:
    reasons = {}
    for name, words in {
        "missing": ("--", "no-such-program"),
        "setup": ("--setup", "exit 9", "--", "true"),
        "one": ("--", "sh", "-c", "exit 1"),
    }.items():
        answer = home.run("run", "script", "--on", "local", "--name", name, "--follow", "--json", *words)
        assert answer.status == 5
        reasons[name] = answer.json["reason"]
    assert len(set(reasons.values())) == 3, reasons
    assert "no-such-program" in reasons["missing"]


def test_a_secret_is_in_the_jobs_environment_and_in_no_file(home: Home, tmp_path: Path) -> None:
    canary = "canary-5d1c90"
    home.env["MY_TOKEN"] = canary
    answer = home.run(
        "run", "script", "--on", "local", "--secret", "MY_TOKEN", "--follow", "--json",
        "--", "sh", "-c", "test \"$MY_TOKEN\" = canary-5d1c90",
    )  # fmt: skip
    home.env.pop("MY_TOKEN")
    assert answer.status == 0, answer.out + answer.err + home.log()
    # The command itself names it; what must not is anything that would hold the value from the environment.
    for file in home.paths.home.rglob("*"):
        if file.is_file() and file.name != "engine.sock":
            content = file.read_bytes().replace(b"= canary-5d1c90", b"")
            assert canary.encode() not in content, file
