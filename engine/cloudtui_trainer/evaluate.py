"""The evaluation job: a model version on any dataset and split that it fits, reported as after training."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cloudtui_trainer import VERSION, baselines, reports
from cloudtui_trainer.checkpoints import write_durably
from cloudtui_trainer.devices import choose_device, describe, prepare
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.given import GivenModel, checked, read_given
from cloudtui_trainer.job import Job
from cloudtui_trainer.matching import Matched, match
from cloudtui_trainer.params import Params, ranged, read_params
from cloudtui_trainer.recorder import Recorder, without_nan
from cloudtui_trainer.stop import Stop
from cloudtui_trainer.tasks import find_task
from cloudtui_trainer.tasks.base import SPLITS, Outputs, Task


@dataclass(frozen=True)
class EvaluateParams(Params):
    """Of these, device, threads, data and batch_size are looked at."""

    batch_size: int = ranged(256, 1, 65_536)


def evaluate(job: Job, recorder: Recorder, stop: Stop) -> str:
    """Judge the given model. Returns how it ended: completed or stopped.

    Raises:
        TrainerError: it cannot be done; the message says why and what to do.
    """
    params = read_params(EvaluateParams, job.params)
    device = choose_device(params)
    prepare(device, params.threads)
    model = read_given(job.given, device, params.threads)
    kind = find_task(model.task)
    task = kind(job.dataset, kind.Params(data=params.data), device)
    if job.split not in SPLITS or not task.rows(job.split):
        there = ", ".join(split for split in SPLITS if task.rows(split))
        raise TrainerError(f"There are no rows in a split {job.split!r}.", f"Splits with rows: {there}.")
    about = task.exported()
    matched = match(model, about["features"], about["labels"], about.get("target"))
    recorder.event(
        "started", device=describe(device), file=model.file, split=job.split, rows=task.rows(job.split),
        trainer=VERSION, torch=torch.__version__,
    )  # fmt: skip
    outputs = _outputs(job, task, model, matched, at_once=params.batch_size, recorder=recorder, stop=stop)
    if outputs is None:
        return "stopped"
    report = {**_report(job, task, model, matched, outputs), **_beside(job, task, model, recorder)}
    notes = matched.told()
    if notes:
        report["notes"] = notes
    _leave(job, model, report, outputs)
    recorder.metric(1, {f"{job.split}/{key}": value for key, value in report["metrics"].items()})
    recorder.report(f"evaluation/{job.split}", report)
    for note in notes:
        recorder.event("note", text=note)
    shown = "  ".join(f"{key} {value:.4f}" for key, value in report["metrics"].items())
    recorder.say(f"{job.of}  {job.split}  {shown}")
    return "completed"


def _outputs(
    job: Job,
    task: Task,
    model: GivenModel,
    matched: Matched,
    *,
    at_once: int,
    recorder: Recorder,
    stop: Stop,
) -> Outputs | None:
    """The model's outputs for every row of the split, in row order; none where it was stopped."""
    parts: list[Outputs] = []
    count = task.rows(job.split)
    batches = torch.split(torch.arange(count), at_once)
    begun = time.monotonic()
    task.store.expect(job.split, batches)
    try:
        for step, rows in enumerate(batches, 1):
            if stop.requested:
                return None
            raw = matched.rows(task.batch(job.split, rows)[0].cpu().numpy())
            parts.append(checked(model.outputs(np.ascontiguousarray(raw)), len(rows), model))
            left = (time.monotonic() - begun) / step * (len(batches) - step)
            ends = step in {1, len(batches)}
            recorder.progress(
                now=ends, text="Evaluating", step=step, steps=len(batches), eta_s=round(left, 1)
            )
    finally:
        task.store.expect(job.split, [])
    return np.concatenate(parts)


def _report(job: Job, task: Task, model: GivenModel, matched: Matched, outputs: Outputs) -> dict[str, Any]:
    truth = matched.targets(task.targets(job.split))
    about = {"model": job.of, "dataset": task.dataset, "split": job.split, "task": model.task}
    if model.is_number:
        return about | reports.regression(outputs[:, 0], truth, float(model.features["target"]["std"]))
    return about | reports.classification(outputs, truth, model.labels)


def _beside(job: Job, task: Task, model: GivenModel, recorder: Recorder) -> dict[str, Any]:
    """The baselines: those of the training where it was on this dataset, else computed anew."""
    told = model.report.get("evaluation")
    before = told.get(job.split) if isinstance(told, dict) else None
    if task.dataset == model.dataset and isinstance(before, dict) and _are_baselines(before.get("baselines")):
        note = before.get("baselines_note")
        return {
            "baselines": before["baselines"],
            **({"baselines_note": note} if isinstance(note, str) else {}),
        }
    return baselines.beside(task, (job.split,), recorder)[job.split]


def _are_baselines(given: Any) -> bool:
    """The report beside a model may be anyone's: what is shown as ours has to look like ours."""
    return (
        isinstance(given, list)
        and bool(given)
        and all(
            isinstance(entry, dict)
            and set(entry) == {"name", "metrics"}
            and isinstance(entry["name"], str)
            and isinstance(entry["metrics"], dict)
            and all(value is None or isinstance(value, int | float) for value in entry["metrics"].values())
            for entry in given
        )
    )


def _leave(job: Job, model: GivenModel, report: dict[str, Any], outputs: Outputs) -> None:
    if model.is_number:
        predictions: list[Any] = [float(f"{value:.7g}") for value in outputs[:, 0].tolist()]
    else:
        predictions = outputs.argmax(1).tolist()
    kept = {
        "run": job.run, "name": job.name, "of": job.of, "dataset": report["dataset"], "task": model.task,
        "trainer": VERSION, "file": model.file, "labels": model.labels,
        "evaluation": {job.split: report}, "predictions": {job.split: predictions},
    }  # fmt: skip
    try:
        write_durably(job.artifacts / "report.json", [json.dumps(without_nan(kept), indent=1).encode()])
    except OSError as error:
        raise TrainerError(
            f"The evaluation is done, but its report cannot be written to {job.artifacts}: {error.strerror}.",
            "Free some space and start it again.",
        ) from None
