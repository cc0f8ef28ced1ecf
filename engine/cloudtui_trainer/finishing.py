"""The end of a run: the best weights are judged once on the test rows, and leave their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from cloudtui_trainer import VERSION, artifacts, baselines
from cloudtui_trainer.job import Job
from cloudtui_trainer.onnx_file import OnnxFile
from cloudtui_trainer.params import Params
from cloudtui_trainer.predicting import predict, read_out
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.tasks.base import Outputs, Task

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
    """Evaluate and leave the artifacts. The reports are of what the exported file says, to the row.

    Where there is none they are of the network itself, as it multiplies on its device.

    Args:
        job: what was done.
        task: its data and judgement.
        params: what it was done with.
        recorder: where it is told.
        model: with the best weights.
        best: of which epoch and step they are, and what was measured then.
        step: the last.
    """
    device = next(model.parameters()).device
    content = artifacts.exported(model, task, recorder)
    model.to(device)
    outputs_of = {split: _outputs(content, model, task, split, device) for split in JUDGED}
    conclude(
        job, task, params, recorder, outputs_of=outputs_of, best=best, step=step,
        parameters=sum(weight.numel() for weight in model.parameters()),
        leave=lambda summary: artifacts.leave(job.artifacts, model, task, content, summary),
    )  # fmt: skip


def conclude(
    job: Job,
    task: Task,
    params: Params,
    recorder: Recorder,
    *,
    outputs_of: Mapping[str, Outputs],
    best: Mapping[str, Any],
    step: int,
    parameters: int,
    leave: Callable[[dict[str, Any]], None],
    unit: str = "epoch",
) -> None:
    """Report on a model's outputs, beside the baselines.

    Args:
        job: what was done.
        task: its data and judgement.
        params: what it was done with.
        recorder: where it is told.
        outputs_of: what the model gives for each row of each split that is judged.
        best: of which epoch and step the model is, and what was measured then.
        step: the last.
        parameters: how many numbers the model consists of.
        leave: writes the files; given what report.json is to hold.
        unit: what an epoch is called.
    """
    beside = baselines.beside(task, tuple(outputs_of), recorder)
    about = {"model": job.name or job.run, "dataset": task.dataset, "task": job.task}
    evaluations = {
        split: {**about, "split": split, **task.evaluation(split, outputs), **beside[split]}
        for split, outputs in outputs_of.items()
    }
    leave({
        "run": job.run, "name": job.name, "dataset": task.dataset, "task": job.task,
        "model": job.model or task.models[0], "trainer": VERSION, "torch": torch.__version__,
        "params": told_params(params), "parameters": parameters,
        "best": {key: best[key] for key in ("epoch", "step", "metrics")}, "evaluation": evaluations,
        "predictions": {split: task.predictions(outputs) for split, outputs in outputs_of.items()},
    })  # fmt: skip
    tested = task.metrics("test", outputs_of["test"])
    recorder.metric(step, {f"test/{key}": value for key, value in tested.items()})
    for split, evaluation in evaluations.items():
        recorder.report(f"evaluation/{split}", evaluation)
    shown = "  ".join(f"{key} {value:.4f}" for key, value in tested.items())
    recorder.say(f"test  {shown}  (best {unit} {best['epoch']})")


def told_params(params: Params) -> dict[str, Any]:
    """All parameters as they were used."""
    return {key: getattr(params, key) for key in params.__dataclass_fields__} | {"lr": params.rate}


def _outputs(
    content: bytes | None, model: nn.Module, task: Task, split: str, device: torch.device
) -> Outputs:
    if content is None or not task.rows(split):
        return predict(model, task, split, device, "fp32")
    return read_out(OnnxFile(content, torch.get_num_threads()), task, split)
