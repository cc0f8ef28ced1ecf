"""A run from its config to its files: what it tells, in which order, and how it ends."""

from __future__ import annotations

import errno
import json
import sys
from types import ModuleType

import pytest
import torch
from tests.trainer.compress_models import write_pictures
from tests.trainer.jobs import do

from cloudtui_trainer import artifacts, checkpoints
from cloudtui_trainer.__main__ import main
from cloudtui_trainer.tasks.image import ImageTask
from cloudtui_trainer.weights import read_safetensors

pytestmark = pytest.mark.usefixtures("no_export", "small")


def test_what_a_run_tells(home, capsys):
    assert home.run() == 0
    records = home.records()
    assert records[0] == records[0] | {"kind": "progress", "text": "Importing torch"}
    assert [record["seq"] for record in records] == list(range(len(records)))
    assert records[-1]["kind"] == "done"
    assert records[-1]["reason"] == "completed"
    started = home.events()["started"]
    assert started["rows"] == {"train": 1257, "validation": 180, "test": 360}
    assert started["params"]["lr"] == 0.003
    assert home.events()["goals"]["validation/accuracy"] == "max"
    assert [record["name"] for record in home.records(kind="report")] == [
        "evaluation/validation",
        "evaluation/test",
    ]
    assert "epoch 2/2" in capsys.readouterr().out


def test_points_stand_at_the_number_of_updates_done(home):
    home.run()
    points = home.points()
    assert {step for step, key in points if key == "train/loss"} == set(range(1, 11))
    assert {step for step, key in points if key == "validation/accuracy"} == {5, 10}
    assert {step for step, key in points if key == "test/accuracy"} == {10}


def test_validation_alone_chooses_the_epoch_that_is_kept(home, monkeypatch):
    right, worse, asked = ImageTask.metrics, iter([0.1, 0.2]), []

    def metrics(self, split, outputs):
        asked.append(split)
        return right(self, split, outputs) | ({"loss": next(worse)} if split == "validation" else {})

    monkeypatch.setattr(ImageTask, "metrics", metrics)
    assert home.run() == 0
    assert asked == ["validation", "validation", "test"]
    report = json.loads((home.folder() / "artifacts" / "report.json").read_text())
    assert report["best"]["epoch"] == 1
    kept, _ = read_safetensors(home.folder() / "artifacts" / "model.safetensors")
    best, _ = read_safetensors(home.folder() / "checkpoints" / "best.safetensors")
    (last,) = home.folder().glob("checkpoints/*.ckpt")
    last = checkpoints.Checkpoint(last, 10, len(last.read_bytes().split(b"\n", 1)[0]) + 1).load("cpu")[
        "model"
    ]
    assert all(torch.equal(tensor, best[name]) for name, tensor in kept.items())
    assert not all(torch.equal(tensor, last[name]) for name, tensor in kept.items())


def test_progress_says_how_long_it_will_take(home):
    home.run()
    last = home.records(kind="progress")[-3]
    assert last["epoch"] == 2
    assert last["step"] == last["steps"] == 10
    assert last["eta_s"] == 0


def test_without_validation_rows_the_last_epoch_is_kept(tmp_path):
    write_pictures(tmp_path / "data" / "few", {"train": 8, "validation": 0, "test": 0})
    done = do(tmp_path, "few", "few", task="image", params={"epochs": 3, "batch_size": 4})
    assert done.status == 0
    assert done.report["best"]["epoch"] == 3


def test_the_last_progress_says_where_the_run_ended(home):
    """It is what tables show of a run that is done."""
    home.run()
    last = home.records(kind="progress")[-1]
    shown = {key: last[key] for key in ("text", "step", "steps", "epoch", "epochs")}
    assert shown == {"text": "Computing the baselines", "step": 10, "steps": 10, "epoch": 2, "epochs": 2}


def test_the_report_is_the_journals(home):
    home.run()
    report = json.loads((home.folder() / "artifacts" / "report.json").read_text())
    told = {record["name"]: record["data"] for record in home.records(kind="report")}
    assert report["evaluation"]["test"] == told["evaluation/test"]
    assert report["evaluation"]["test"]["n"] == len(report["predictions"]["test"]) == 360
    assert report["evaluation"]["test"]["metrics"]["accuracy"] == pytest.approx(
        home.points()[10, "test/accuracy"], abs=1e-6
    )


def test_the_same_seed_gives_the_same_weights_and_another_others(home):
    weights = []
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        run = home.beside(name)
        assert run.run(seed=seed) == 0
        weights.append(run.weights())
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "schedule": "cosine", "ema": 0.9},
        {"augment": "shift_flip", "schedule": "constant", "label_smoothing": 0},
        {"precision": "bf16", "dropout": 0, "batch_size": "300"},
    ],
)
def test_other_ways_to_train(home, params):
    assert home.run(**params) == 0
    assert home.points()[max(home.points())[0], "test/accuracy"] > 0.2


def test_early_stopping_ends_before_the_last_epoch(home):
    assert home.run(epochs=50, lr=1e-7, schedule="constant", early_stopping=1, batch_size=1000) == 0
    assert max(step for step, _ in home.points()) < 100


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"params": {"epocs": 3}}, "Did you mean epochs?"),
        ({"params": {"device": "cuda"}}, "no GPU"),
        ({"task": "sound"}, "does not know the task"),
        ({"model": "vgg"}, "no model 'vgg'"),
        ({"dataset": "/nowhere"}, "Cannot read the dataset"),
        ({"params": {"precision": "fp16"}}, "only a GPU computes in it"),
        ({"weights": "/nowhere/model.safetensors"}, "Cannot read the weights model.safetensors"),
    ],
)
def test_what_cannot_be_done_is_said_in_the_journal(home, change, why, capsys):
    path = home.config()
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert main([str(path)], env={}) == 1
    done = home.records()[-1]
    assert (done["kind"], done["reason"]) == ("done", "failed")
    assert why in done["message"]
    assert why in capsys.readouterr().err


def test_a_config_that_is_none(tmp_path, capsys):
    (tmp_path / "config.json").write_text("{}")
    assert main([str(tmp_path / "config.json")], env={}) == 1
    assert main([str(tmp_path / "missing.json")], env={}) == 1
    assert main([], env={}) == 2
    assert "not the config of a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "module", "name"),
    [("evaluate", "evaluate", "evaluate"), ("compress", "compress", "compress")],
)
def test_other_jobs_get_what_the_config_says(home, monkeypatch, kind, module, name):
    seen = []
    stand_in = ModuleType(module)
    setattr(stand_in, name, lambda job, recorder, stop: seen.append((job, recorder, stop)) or "completed")
    monkeypatch.setitem(sys.modules, f"cloudtui_trainer.{module}", stand_in)
    path = home.config()
    change = {"job": kind, "given": "{root}/model/abc", "of": "name@3", "split": "validation"}
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert main([str(path)], env={}) == 0
    ((job, recorder, stop),) = seen
    assert (job.kind, job.of, job.split) == (kind, "name@3", "validation")
    assert job.given == home.root / "model" / "abc"
    assert job.weights is None
    assert not stop.requested
    assert home.records()[-1]["reason"] == "completed"
    assert recorder


def test_a_job_that_is_none_is_refused(home, capsys):
    path = home.config()
    path.write_text(json.dumps({**json.loads(path.read_text()), "job": "bake"}))
    assert main([str(path)], env={}) == 1
    assert "does not know the job 'bake'" in capsys.readouterr().err


def test_a_bug_is_told_too(home, monkeypatch):
    monkeypatch.setattr(artifacts, "leave", lambda *_args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        home.run()
    assert "ZeroDivisionError" in home.records()[-1]["message"]


def full(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(home, monkeypatch):
    monkeypatch.setattr(checkpoints, "write_durably", full)
    assert home.run(checkpoint_every_steps=3) == 0
    assert "No space left" in home.events()["checkpoint_failed"]["text"]
    assert not list(home.folder().glob("checkpoints/*"))


def test_a_disk_that_fills_up_at_the_best_weights_costs_only_these(home, monkeypatch):
    monkeypatch.setattr("cloudtui_trainer.train.leave_best", full)
    assert home.run() == 0
    assert "Cannot write the best weights at step 10" in home.events()["checkpoint_failed"]["text"]
    assert [path.name for path in home.folder().glob("checkpoints/*")] == ["step-000000000010.ckpt"]


def test_a_disk_that_is_full_at_the_weights_fails_with_the_reason_and_resumes(home, monkeypatch):
    monkeypatch.setattr("cloudtui_trainer.weights.write_durably", full)
    assert home.run() == 1
    assert "Free some space and resume the run" in home.records()[-1]["message"]
    monkeypatch.setattr("cloudtui_trainer.weights.write_durably", checkpoints.write_durably)
    assert home.run(2) == 0
    assert home.events(2)["resumed"] == {"from_step": 10}


def test_a_disk_still_full_at_the_end_fails_with_the_reason(home, monkeypatch):
    monkeypatch.setattr(artifacts, "write_durably", full)
    assert home.run() == 1
    assert "files cannot be written" in home.records()[-1]["message"]
    assert "No space left" in home.records()[-1]["message"]
    monkeypatch.undo()
    monkeypatch.setattr("cloudtui_trainer.export.missing_libraries", lambda: ["onnx"])
    assert home.run(2) == 0
    assert home.events(2)["resumed"] == {"from_step": 10}
    assert {key for _, key in home.points(2)} == {"test/loss", "test/accuracy"}


def test_too_little_memory_is_said(home, monkeypatch):
    import torch

    def exhausted(*_args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("cloudtui_trainer.finishing.predict", exhausted)
    assert home.run() == 1
    assert "Set batch_size lower" in home.records()[-1]["message"]


def test_without_torch_it_says_what_to_install(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert home.run() == 1
    assert "pip install torch" in home.records()[-1]["message"]


def test_a_missing_export_library_is_told_and_survived(home):
    assert home.run() == 0
    assert home.events()["onnx_skipped"]["hint"] == "pip install onnx"
    assert not (home.folder() / "artifacts" / "model.onnx").exists()
