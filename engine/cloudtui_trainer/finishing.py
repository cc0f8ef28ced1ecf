"""The end of a run: the best weights are judged once on the test rows, and leave their files."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cloudtui_trainer import VERSION, artifacts
from cloudtui_trainer.job import Job
from cloudtui_trainer.params import Params
from cloudtui_trainer.predicting import predict
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.tasks.base import Task

JUDGED = ("validation", "test")


def finish(
    job: Job,
    task: Task,
    params: Params,
    recorder: Recorder,
    *,
    model: nn.Module,
    best: dict[str, Any],
    step: int,
) -> None:
    """Evaluate and leave the artifacts. The reports in the journal are those of the file.

    Args:
        job: what was done.
        task: its data and judgement.
        params: what it was done with.
        recorder: where it is told.
        model: with the best weights.
        best: of which epoch and step they are, and what was measured then.
        step: the last.
    """
    outputs_of = {split: predict(model, task, split, _device(model), "fp32") for split in JUDGED}
    about = {"model": job.name or job.run, "dataset": task.dataset, "task": job.task}
    evaluations = {
        split: {**about, "split": split, **task.evaluation(split, outputs)}
        for split, outputs in outputs_of.items()
    }
    summary = {
        "run": job.run, "name": job.name, "dataset": task.dataset, "task": job.task,
        "model": job.model or task.models[0], "trainer": VERSION, "torch": torch.__version__,
        "params": told_params(params), "parameters": sum(weight.numel() for weight in model.parameters()),
        "best": {key: best[key] for key in ("epoch", "step", "metrics")}, "evaluation": evaluations,
        "predictions": {split: task.predictions(outputs) for split, outputs in outputs_of.items()},
    }  # fmt: skip
    artifacts.leave(job.artifacts, model, task, summary, recorder)

    tested = task.metrics("test", outputs_of["test"])
    recorder.metric(step, {f"test/{key}": value for key, value in tested.items()})
    for split, evaluation in evaluations.items():
        recorder.report(f"evaluation/{split}", evaluation)
    shown = "  ".join(f"{key} {value:.4f}" for key, value in tested.items())
    recorder.say(f"test  {shown}  (best epoch {best['epoch']})")


def told_params(params: Params) -> dict[str, Any]:
    """All parameters as they were used."""
    return {key: getattr(params, key) for key in params.__dataclass_fields__} | {"lr": params.rate}


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
