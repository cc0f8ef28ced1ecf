"""A model version as a job is given it: a folder with model.onnx, model.safetensors or both, and report.json.

The exported file is what is read where ONNX Runtime is on the host, for it is what others will run; else the
network is rebuilt from its weights, on the GPU where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import cloudtui_features
from cloudtui_trainer import onnx_file
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.tasks.base import Outputs
from cloudtui_trainer.weights import read_safetensors, rebuild

PULL = "Pull the model's files, or push them to this host, again."


@dataclass(frozen=True)
class GivenModel:
    """What a model states of itself, and the way to compute it."""

    features: dict[str, Any]
    labels: list[str]
    target: dict[str, Any]
    """Of a table: its name and kind. Empty for pictures."""
    dataset: str
    """The sha256 of what it was trained on."""
    report: dict[str, Any]
    """Its report.json, or nothing where there is none."""
    file: str
    """Which file is computed."""
    outputs: Callable[[npt.NDArray[Any]], Outputs]
    """Logits, or (rows, 1) numbers, of raw rows."""

    @property
    def task(self) -> str:
        """What it is for."""
        return str(self.features["kind"])

    @property
    def is_number(self) -> bool:
        """It predicts a number, not a class."""
        return self.target.get("kind") == "number"


def read_given(folder: Path | None, device: torch.device, threads: int) -> GivenModel:
    """The model in a folder.

    Args:
        folder: as the config names it.
        device: for a network that is rebuilt from its weights.
        threads: of the CPU, for the exported file; 0 is all cores.

    Raises:
        TrainerError: it is not there, damaged, or does not say what it takes and gives.
    """
    if folder is None or not folder.is_dir():
        raise TrainerError(f"The model's files are not there: {folder}.", PULL)
    exported, weights = folder / "model.onnx", folder / "model.safetensors"
    if exported.is_file() and onnx_file.can_read():
        file = onnx_file.OnnxFile(_content(exported), threads)
        return _stating(file.stated, folder, exported.name, file.outputs)
    if weights.is_file():
        _, stated = read_safetensors(weights)
        return _stating(stated, folder, weights.name, _computed_by(weights, device))
    if exported.is_file():
        raise TrainerError("This host has no onnxruntime to read model.onnx.", "pip install onnxruntime")
    raise TrainerError(f"There is no model.onnx and no model.safetensors in {folder}.", PULL)


def _computed_by(weights: Path, device: torch.device) -> Callable[[npt.NDArray[Any]], Outputs]:
    model = rebuild(weights).to(device)

    @torch.no_grad()
    def outputs(rows: npt.NDArray[Any]) -> Outputs:
        found: Outputs = model(torch.from_numpy(rows).to(device)).float().cpu().numpy()
        return found

    return outputs


def _stating(
    stated: Mapping[str, str], folder: Path, file: str, outputs: Callable[[npt.NDArray[Any]], Outputs]
) -> GivenModel:
    try:
        features, labels = json.loads(stated["features"]), json.loads(stated["labels"])
        target = json.loads(stated.get("target", "{}"))
        cloudtui_features.check(features)
        labels, target = [str(label) for label in labels], dict(target)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainerError(
            f"{file} does not state what it takes and gives ({error!r}).",
            "Only what this trainer exported can be evaluated.",
        ) from None
    return GivenModel(
        features,
        list(labels),
        target,
        stated.get("dataset", ""),
        _report(folder / "report.json"),
        file,
        outputs,
    )


def _report(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(_content(path))
    except ValueError as error:
        raise TrainerError(f"report.json of the model is damaged: {error}.", PULL) from None
    return found if isinstance(found, dict) else {}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainerError(f"Cannot read {path}: {error.strerror}.", PULL) from None


def checked(outputs: Outputs, rows: int, model: GivenModel) -> Outputs:
    """Outputs that are of the shape that the model states.

    Raises:
        TrainerError: they are not, or they are no numbers.
    """
    wide = 1 if model.is_number else len(model.labels)
    if outputs.shape != (rows, wide):
        raise TrainerError(f"{model.file} gives {outputs.shape} for {rows} rows and {wide} outputs.", PULL)
    if not np.isfinite(outputs).all():
        raise TrainerError(f"{model.file} gives outputs that are no numbers.", "Train it again.")
    return outputs
