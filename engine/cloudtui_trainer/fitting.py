"""Models that grow by themselves, such as boosted trees, where the loop trains networks step by step.

The journal, the files and the reports are the same; a step is a round. There are no weights apart from the
exported file: model.onnx is the model, so what the report says of it is computed from that file.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cloudtui_trainer import VERSION, onnx_file
from cloudtui_trainer.checkpoints import write_durably
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.finishing import JUDGED, conclude, told_params
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.job import Job
from cloudtui_trainer.params import Params
from cloudtui_trainer.recorder import Recorder, without_nan
from cloudtui_trainer.stop import Stop
from cloudtui_trainer.tasks.base import SPLITS, Fitted, Outputs, Task, improved

AT_ONCE = 10
"""Rounds between two looks at the validation rows."""


def fit(job: Job, task: Task, params: Params, fitted: Fitted, *, recorder: Recorder, stop: Stop) -> str:
    """Grow, evaluate and leave the artifacts. Returns how it ended: completed or stopped.

    A run that was stopped begins anew when it is resumed: the same seed gives the same rounds again, and
    scikit-learn's own state could only be kept in a form that executes when it is read.
    """
    if job.weights:
        raise TrainerError(f"The model {job.model} cannot begin from given weights.", "Leave them out.")
    _begin(job, task, params, fitted, recorder)
    best: dict[str, Any] = {}
    begun = time.monotonic()
    while fitted.rounds < fitted.most and not _waited(fitted, best):
        if stop.requested:
            return "stopped"
        fitted.grow(min(AT_ONCE, fitted.most - fitted.rounds))
        measured = task.metrics("validation", fitted.outputs("validation"))
        if improved(task, measured, best):
            best = {"metrics": measured, "epoch": fitted.rounds, "step": fitted.rounds}
        trained = task.metrics("train", fitted.outputs("train"))
        point = {f"train/{key}": trained[key] for key in ("loss", task.score)}
        point |= {f"validation/{key}": value for key, value in measured.items()}
        recorder.metric(fitted.rounds, point)
        each = (time.monotonic() - begun) / fitted.rounds
        recorder.progress(
            step=fitted.rounds, steps=fitted.most, eta_s=round(each * (fitted.most - fitted.rounds), 1)
        )
        shown = "  ".join(f"{key} {value:.4f}" for key, value in point.items())
        recorder.say(f"round {fitted.rounds:>{len(str(fitted.most))}}/{fitted.most}  {shown}")
    if stop.requested:
        return "stopped"
    last = fitted.rounds
    fitted.cut(best["step"])
    recorder.progress(now=True, text="Evaluating", step=last, steps=last, eta_s=0)
    _finish(job, task, params, fitted, best=best, step=last, recorder=recorder)
    return "completed"


def _begin(job: Job, task: Task, params: Params, fitted: Fitted, recorder: Recorder) -> None:
    recorder.event(
        "started", device="CPU", torch=torch.__version__, precision="fp32", threads=torch.get_num_threads(),
        parameters=0, steps=fitted.most, trainer=VERSION, rows={split: task.rows(split) for split in SPLITS},
        params=told_params(params), **task.store.told(),
    )  # fmt: skip
    recorder.event(
        "goals", **{f"{split}/{key}": goal for split in SPLITS for key, goal in task.goals.items()}
    )
    recorder.say(f"{job.model}, {task.rows('train'):,} rows, at most {fitted.most} rounds")


def _waited(fitted: Fitted, best: dict[str, Any]) -> bool:
    return bool(fitted.patience and best and fitted.rounds - best["step"] >= fitted.patience)


def _finish(
    job: Job,
    task: Task,
    params: Params,
    fitted: Fitted,
    *,
    best: dict[str, Any],
    step: int,
    recorder: Recorder,
) -> None:
    stated = {
        **task.exported(), "dataset": task.dataset,
        "trainer": VERSION, "trainer_sha256": trainer_sha256(),
        "net": {"model": job.model, "rounds": fitted.rounds, "parameters": fitted.parameters},
    }  # fmt: skip
    recorder.progress(now=True, text="Exporting")
    content = fitted.to_onnx(stated)
    conclude(
        job, task, params, recorder,
        outputs_of={split: _judged(content, task, fitted, split, recorder) for split in JUDGED},
        best=best, step=step, parameters=fitted.parameters, unit="round",
        leave=lambda summary: _leave(job.artifacts, content, summary),
    )  # fmt: skip


def _judged(content: bytes, task: Task, fitted: Fitted, split: str, recorder: Recorder) -> Outputs:
    """The exported file's outputs for a split, once they are seen to be the model's.

    Raises:
        TrainerError: they are not.
    """
    expected = fitted.outputs(split)
    if not onnx_file.can_read():
        recorder.event(
            "parity_unchecked", level="warning", hint="pip install onnxruntime",
            text="This host has no onnxruntime, so model.onnx was not held against the model.",
        )  # fmt: skip
        return expected
    rows = task.batch(split, torch.arange(task.rows(split)))[0].cpu().numpy()
    found = onnx_file.OnnxFile(content, torch.get_num_threads()).outputs(rows)
    if not np.allclose(found, expected, atol=1e-4, rtol=1e-3):
        off = float(np.abs(found - expected).max())
        raise TrainerError(f"The exported file differs from the model by {off:.2g} on the {split} rows.")
    return found


def _leave(folder: Path, content: bytes, summary: dict[str, Any]) -> None:
    alone = {"onnx": True, "notes": ["There is no model.safetensors: model.onnx is the model."]}
    try:
        write_durably(folder / "model.onnx", [content])
        write_durably(folder / "report.json", [json.dumps(without_nan(summary | alone), indent=1).encode()])
    except OSError as error:
        raise TrainerError(
            f"The training is done, but its files cannot be written to {folder}: {error.strerror}.",
            "Free some space and resume the run: it is done again.",
        ) from None
