"""What a finished run leaves: the weights, the exported model and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cloudtui_trainer import VERSION, export
from cloudtui_trainer.checkpoints import write_durably
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.models import spec_of
from cloudtui_trainer.recorder import Recorder, without_nan
from cloudtui_trainer.tasks.base import Task
from cloudtui_trainer.weights import write_safetensors


def leave(folder: Path, model: nn.Module, task: Task, content: bytes | None, summary: dict[str, Any]) -> None:
    """Write all artifacts to `folder`.

    Args:
        folder: where they go.
        model: whose weights.
        task: what it was trained on.
        content: of the exported file, where there is one.
        summary: what report.json is to hold.

    Raises:
        TrainerError: they could not be written.
    """
    try:
        write_safetensors(folder / "model.safetensors", model, stated_of(task, model))
        if content is not None:
            write_durably(folder / "model.onnx", [content])
        summary = {**summary, "onnx": content is not None}
        write_durably(folder / "report.json", [json.dumps(without_nan(summary), indent=1).encode()])
    except OSError as error:
        raise TrainerError(
            f"The training is done, but its files cannot be written to {folder}: {error.strerror}.",
            "Free some space and resume the run: it goes on from its last checkpoint.",
        ) from None


def leave_best(folder: Path, model: nn.Module, task: Task, best: dict[str, Any]) -> None:
    """The best weights so far as a file that is good by itself, whatever becomes of the run.

    Raises:
        OSError: it could not be written; what was there is as it was.
    """
    stated = stated_of(task, model) | {key: best[key] for key in ("epoch", "step", "metrics")}
    write_safetensors(folder / "best.safetensors", best["weights"], stated)


def stated_of(task: Task, model: nn.Module) -> dict[str, Any]:
    """What the files say of themselves: raw input, labels, network, and data and trainer by their hashes."""
    return {
        **task.exported(), "dataset": task.dataset, "net": spec_of(model),
        "trainer": VERSION, "trainer_sha256": trainer_sha256(),
    }  # fmt: skip


def exported(model: nn.Module, task: Task, recorder: Recorder) -> bytes | None:
    """The content of the exported file, seen to be the model; none, and why is told, where it cannot be made.

    The model is on the CPU after it.
    """
    missing = export.missing_libraries()
    if missing:
        recorder.event(
            "onnx_skipped", level="warning",
            text=f"There is no model.onnx: this host has no {', '.join(missing)}.",
            hint=f"pip install {' '.join(missing)}",
        )  # fmt: skip
        return None
    recorder.progress(now=True, text="Exporting")
    stated = stated_of(task, model)
    # Of train, which always has rows; taken again where they are few, for the exporter needs two.
    rows = torch.arange(max(export.PARITY_BATCHES)) % task.rows("train")
    example = task.batch("train", rows)[0].cpu()
    model = model.cpu().eval()
    try:
        content = export.to_onnx(model, example, stated)
        export.check_parity(content, model, example, stated)
    except export.ExportError as error:
        recorder.event("onnx_skipped", level="warning", text=f"There is no model.onnx: {error}.")
        return None
    return content
