"""A run that was cut off anywhere ends with the same weights and curves as one that was not."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest

from cloudtui_trainer import checkpoints
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.job import Job
from cloudtui_trainer.stop import STOPPED, Stop
from cloudtui_trainer.train import stopped

HARD = {"epochs": 3, "batch_size": 100, "ema": 0.9, "augment": "shift_flip", "dropout": 0.3, "log_every": 5}


class StopAt(Stop):
    """A wish to stop that comes when it was asked for so many times."""

    after = 0

    def __init__(self):
        self.left = self.after

    @property
    def requested(self):
        self.left -= 1
        return self.left < 0

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        """There is no handler to take back."""


@pytest.fixture
def stop_at(monkeypatch):
    def at(step):
        monkeypatch.setattr("cloudtui_trainer.__main__.Stop", type("StopAtStep", (StopAt,), {"after": step}))

    return at


def visible(home, attempts):
    """The points as the catalog shows them: those after a later attempt's beginning are hidden."""
    found = {}
    for attempt in range(1, attempts + 1):
        begun = home.events(attempt).get("resumed", {}).get("from_step", 0)
        found = {place: value for place, value in found.items() if place[0] <= begun}
        new = home.points(attempt)
        assert not set(new) & set(found)
        found |= new
    return found


@pytest.mark.usefixtures("no_export", "small")
@pytest.mark.parametrize(
    ("step", "more"),
    [(step, {}) for step in (0, 7, 13, 14, 39)]
    + [
        (7, {"optimizer": "sgd", "l1": 1e-5}),
        (20, {"accumulate": 3, "clip": 0.5, "schedule": "step"}),
        (16, {"ema": 0.99, "precision": "bf16", "erase": 0.3, "data": "stream"}),
        (7, {"model": "resnet", "ema": 0.0}),
    ],
)
def test_stopped_at_any_step_and_resumed(home, stop_at, step, more):
    more = dict(more)
    home.model = more.pop("model", home.model)
    home.params |= HARD | more
    stop_at(step)
    assert home.run(1) == STOPPED
    assert home.records(1)[-1]["reason"] == "stopped"
    stop_at(10**9)
    assert home.run(2) == 0
    first = home.records(2)[0]
    assert (first["kind"], first["name"], first["data"]) == ("event", "resumed", {"from_step": step})
    whole = home.beside("whole")
    assert whole.run() == 0
    assert home.weights(2) == whole.weights(1)
    assert visible(home, 2) == whole.points(1)


@pytest.mark.usefixtures("no_export", "small")
def test_the_points_up_to_a_checkpoint_are_in_the_journal_before_it(home, monkeypatch):
    """Who goes on from it tells none of them again."""
    right, seen = checkpoints.save, {}

    def save(folder, step, *more):
        seen[step] = max(record["step"] for record in home.records(1, "metric"))
        right(folder, step, *more)

    monkeypatch.setattr(checkpoints, "save", save)
    assert home.run(epochs=2, log_every=1, checkpoint_every_steps=3) == 0
    assert len(seen) > 2
    assert all(told == step for step, told in seen.items())


def started(home, attempt, **params):
    """The attempt in a process of its own."""
    words = [sys.executable, "-m", "cloudtui_trainer", str(home.config(attempt, **params))]
    with (home.folder(attempt) / "console.log").open("wb") as console:
        return subprocess.Popen(
            words, stdout=console, stderr=console, env={**os.environ, "CLOUDTUI_JOURNAL": ""}
        )


def wait_for_step(home, attempt, process, step, seconds=60):
    """Until the attempt has told a point at or after `step`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, (home.folder(attempt) / "console.log").read_text()
        path = home.folder(attempt) / "journal" / "trainer.jsonl"
        if path.exists() and any(record["step"] >= step for record in home.records(attempt, "metric")):
            return
        time.sleep(0.02)
    raise AssertionError(f"no step {step} within {seconds} s")


def test_a_real_process_stopped_then_killed_then_resumed(home, monkeypatch):
    """SIGTERM amid an epoch, SIGKILL of the second attempt, and the third ends as if nothing had been."""
    monkeypatch.setattr("cloudtui_trainer.export.missing_libraries", lambda: ["onnx"])
    home.params |= {"epochs": 3, "batch_size": 16, "log_every": 1, "checkpoint_every_steps": 10}
    process = started(home, 1)
    wait_for_step(home, 1, process, 15)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == STOPPED
    assert home.records(1)[-1]["reason"] == "stopped"
    process = started(home, 2)
    wait_for_step(home, 2, process, 60)
    process.kill()
    process.wait(30)
    assert home.run(3) == 0
    assert home.events(2)["resumed"]["from_step"] >= 15
    assert home.events(3)["resumed"]["from_step"] >= 50
    whole = home.beside("whole")
    assert whole.run() == 0
    assert home.weights(3) == whole.weights(1)
    assert visible(home, 3) == whole.points(1)


def test_the_second_signal_ends_it_at_once(home):
    process = started(home, 1, epochs=1000)
    wait_for_step(home, 1, process, 1)
    os.kill(process.pid, signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(30) in {128 + signal.SIGTERM, 128 + signal.SIGINT}


class Evil:
    """Makes a folder where it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.usefixtures("no_export", "small")
class TestDamage:
    """Checkpoints that are not whole, or not ours."""

    @pytest.fixture
    def stopped(self, home, stop_at):
        stop_at(7)
        assert home.run(1, checkpoint_every_steps=2) == STOPPED
        stop_at(10**9)
        files = sorted(home.folder(1).glob("checkpoints/*.ckpt"))
        assert [path.name for path in files] == ["step-000000000006.ckpt", "step-000000000007.ckpt"]
        return files

    @pytest.mark.parametrize(
        "spoil",
        [lambda content: content[:-10], lambda content: content[:-1] + b"x", lambda _content: b""],
        ids=["cut", "changed", "empty"],
    )
    def test_the_one_before_is_taken(self, home, stopped, spoil):
        stopped[-1].write_bytes(spoil(stopped[-1].read_bytes()))
        assert home.run(2, checkpoint_every_steps=2) == 0
        assert home.events(2)["resumed"] == {"from_step": 6}
        assert "step-000000000007.ckpt: damaged" in home.events(2)["checkpoint_passed_over"]["text"]

    def test_with_other_parameters_it_begins_anew_and_says_so(self, home, stopped):
        assert home.run(2, lr=0.01) == 0
        assert home.events(2)["resumed"] == {"from_step": 0}
        assert "other data or parameters" in home.events(2)["checkpoint_passed_over"]["text"]

    def test_a_file_that_would_run_code_does_not(self, home, stopped, tmp_path):
        mark = tmp_path / "ran"
        body = pickle.dumps(Evil(mark), protocol=2)
        header = json.loads(stopped[-1].read_bytes().split(b"\n")[0])
        header |= {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        stopped[-1].write_bytes(json.dumps(header).encode() + b"\n" + body)
        with pytest.raises(pickle.UnpicklingError):
            home.run(2, checkpoint_every_steps=2)
        assert not mark.exists()


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True), ({"params": {"threads": 4, "data": "stream", "precision": "bf16"}}, True),
        ({"params": {"lr": 0.5}}, False), ({"model": "resnet"}, False), ({"task": "tabular"}, False),
        ({"dataset": "{root}/data/other"}, False), ({"weights": "{root}/model/a/model.safetensors"}, False),
    ],
)  # fmt: skip
def test_what_a_checkpoint_must_agree_with(home, change, same):
    whole = Job.load(home.config(), {}).fingerprint
    path = home.config(2)
    path.write_text(json.dumps({**json.loads(path.read_text()), "params": home.params, **change}))
    if "params" in change:
        path.write_text(
            json.dumps({**json.loads(path.read_text()), "params": home.params | change["params"]})
        )
    assert (Job.load(path, {}).fingerprint == whole) is same


def test_a_stop_without_its_checkpoint_is_a_failure():
    assert stopped(kept=True, step=7) == "stopped"
    with pytest.raises(TrainerError, match="Stopped at step 7, but its checkpoint could not be written"):
        stopped(kept=False, step=7)


def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    kept = checkpoints.save(tmp_path, 1, "f", {"a": 1})

    def fail(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(tmp_path, 1, "f", {"a": 2})
    assert list(tmp_path.iterdir()) == [kept]
    found, wrong = checkpoints.newest([tmp_path], "f")
    assert found
    assert found.load("cpu") == {"a": 1}
    assert not wrong
