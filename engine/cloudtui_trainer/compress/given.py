"""The model that is to be compressed: its file, its weights, what it was trained with, and its task."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cloudtui_trainer import VERSION, export, weights
from cloudtui_trainer.compress import files
from cloudtui_trainer.errors import DatasetError, TrainerError
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.job import Job
from cloudtui_trainer.onnx_file import OnnxFile
from cloudtui_trainer.params import read_params
from cloudtui_trainer.tasks import find_task
from cloudtui_trainer.tasks.base import Task


@dataclass(frozen=True)
class Given:
    """A model version and the task it answers."""

    name: str
    content: bytes
    """Its ONNX file."""
    network: nn.Module | None
    """Its network with its weights; None where only the file is there."""
    task: Task
    task_name: str

    @property
    def states(self) -> dict[str, str]:
        """What every file made of it says: whose it is."""
        return {
            "compressed_from": files.sha256(self.content), "compressed_of": self.name,
            "trainer": VERSION, "trainer_sha256": trainer_sha256(),
        }  # fmt: skip


def load(job: Job, device: torch.device) -> Given:
    """Read what the job names, and see that it fits the dataset.

    Raises:
        TrainerError: it cannot be compressed, and why.
    """
    if job.given is None:
        raise TrainerError("The config does not say which model is to be compressed.", "Set `given`.")
    report = _report(job.given / "report.json")
    name = str(report.get("task") or job.task)
    if report.get("model") == "boosting":
        raise TrainerError(
            "Boosted trees have no layers to quantize or prune.", "Train with fewer or smaller trees instead."
        )
    kind = find_task(name)
    fields = {field.name for field in dataclasses.fields(kind.Params)}
    told = report.get("params")
    trained = {key: told[key] for key in fields & set(told)} if isinstance(told, dict) else {}
    task = kind(job.dataset, read_params(kind.Params, trained), device)
    if "accuracy" not in task.goals:
        raise TrainerError(
            "This model predicts a number, and compression is judged by classes that stay right.",
            "Train a narrower network instead, and compare the two by evaluation.",
        )
    content, network = _read(job.given, task)
    _see_it_fits(content, task, job.dataset.name)
    return Given(job.of or job.name or job.run, content, network, task, name)


def _read(folder: Path, task: Task) -> tuple[bytes, nn.Module | None]:
    file, safetensors = folder / "model.onnx", folder / "model.safetensors"
    network = weights.rebuild(safetensors) if safetensors.is_file() else None
    rows = torch.arange(min(max(export.PARITY_BATCHES), task.rows("validation")))
    example = task.batch("validation", rows)[0].cpu() if len(rows) else None
    if file.is_file():
        content = file.read_bytes()
        opened = OnnxFile(content, 1)
        if network is not None and example is not None:
            try:
                export.check_parity(
                    content, network, example, {"input": opened.input, "output": opened.output}
                )
            except export.ExportError as error:
                raise TrainerError(
                    f"model.onnx and model.safetensors are not of one model: {error}.",
                    "Pull or export it again.",
                ) from None
        return content, network
    if network is None or example is None:
        raise TrainerError(
            f"There is no model.onnx and no model.safetensors in {folder.name}.",
            "Pull the model's files first.",
        )
    try:
        return export.to_onnx(network, example, task.exported()), network
    except export.ExportError as error:
        raise TrainerError(f"The model cannot be exported: {error}.") from None


def _see_it_fits(content: bytes, task: Task, dataset: str) -> None:
    """The file takes these rows and tells these classes, and is not a compressed one already."""
    states = files.stated(content)
    if states.get("method", "").endswith("int8"):
        raise TrainerError(
            "This model is in int8 already.", f"Compress what it was made of: {states.get('compressed_of')}."
        )
    labels = task.exported().get("labels")
    try:
        told = json.loads(states.get("labels", "null"))
    except ValueError as error:
        raise TrainerError(f"model.onnx does not say which classes it tells: {error}.") from None
    if told not in (None, labels):
        raise DatasetError(
            f"The model tells other classes than dataset {dataset[:8]} has.",
            "Give the dataset that it was trained on.",
        )
    session = files.session(content)
    (entry,) = session.get_inputs()
    row = task.batch("validation", torch.arange(min(1, task.rows("validation"))))[0].cpu().numpy()
    kinds = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}
    wanted: list[Any] = list(entry.shape[1:])
    if len(row) and (list(row.shape[1:]) != wanted or kinds.get(entry.type) != row.dtype.type):
        raise DatasetError(
            f"The model takes rows of {wanted} ({entry.type}), the dataset has {list(row.shape[1:])}.",
            "Give the dataset that it was trained on.",
        )


def _report(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainerError(f"The report of the given model cannot be read: {error}.") from None
    return found if isinstance(found, dict) else {}
