"""Image classification: pictures of one size as bytes on the device, normalised inside the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cloudtui_trainer import models, reports
from cloudtui_trainer.augmentation import erased, shifted
from cloudtui_trainer.devices import move
from cloudtui_trainer.errors import DatasetError, TrainerError
from cloudtui_trainer.models import cnn, resnet
from cloudtui_trainer.params import Params, choice, ranged
from cloudtui_trainer.store import Store
from cloudtui_trainer.tasks.shards import AGAIN, read_arrays, read_manifest


@dataclass(frozen=True)
class ImageParams(Params):
    """What image classification can be told, too."""

    label_smoothing: float = ranged(0.05, 0.0, 0.9)
    dropout: float = ranged(0.25, 0.0, 0.95)
    augment: str = choice("shift", "none", "shift_flip")
    """Move each training picture by up to a fourteenth of its size (tiny ones stay); mirror it as well."""
    erase: float = ranged(0.0, 0.0, 0.9)
    """Wipe out a square of each training picture, as large as this share of its sides; 0 is without."""


class ImageTask:
    """See `base.Task`."""

    Params = ImageParams
    models = ("cnn", "resnet")
    goals: ClassVar = {"loss": "min", "accuracy": "max"}
    selection = ("loss", "accuracy")
    score = "accuracy"

    def __init__(self, folder: Path, params: ImageParams, device: torch.device) -> None:
        self.params = params
        self.device = device
        manifest, self.dataset = read_manifest(folder, "image")
        self.features: dict[str, Any] = manifest["features"]
        self.labels: list[str] = manifest["classes"]
        self.shape = _shape(manifest, folder)
        kinds = (np.uint8, np.int64)
        arrays = {
            split: read_arrays(folder, entry, self.shape, kinds)
            for split, entry in manifest["splits"].items()
        }
        self._truth = {split: y for split, (_, y) in arrays.items()}
        if any(len(y) and not 0 <= y.min() <= y.max() < len(self.labels) for y in self._truth.values()):
            raise DatasetError(f"A label in {folder} is not one of its {len(self.labels)} classes.", AGAIN)
        self.store = Store(arrays, device, params.data)

    def rows(self, split: str) -> int:
        """How many rows a split has."""
        return len(self._truth[split])

    def targets(self, split: str) -> npt.NDArray[np.int64]:
        """Class numbers of a split, in row order."""
        return self._truth[split]

    def fitted(self, model: str) -> None:  # noqa: ARG002 - as every task has it
        """Every model is trained by the loop."""
        return

    def build(self, model: str) -> nn.Module:
        """A new network for pictures of this shape."""
        if model not in self.models:
            raise TrainerError(
                f"There is no model {model!r} for images.", f"Models: {', '.join(self.models)}."
            )
        kind = {"cnn": cnn, "resnet": resnet}[model]
        net = kind.spec(self.shape, len(self.labels), self.features, dropout=self.params.dropout)
        return move(models.build(net), self.device)

    def batch(
        self, split: str, rows: torch.Tensor, *, augment: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Raw pictures and their class numbers."""
        pictures, targets = self.store.batch(split, rows)
        if augment and self.params.augment != "none":
            pictures = shifted(pictures, flip=self.params.augment == "shift_flip")
        if augment and self.params.erase:
            pictures = erased(pictures, self.params.erase, self.features["mean"])
        return pictures, targets

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy with smoothed labels."""
        return nn.functional.cross_entropy(
            outputs.float(), targets, label_smoothing=self.params.label_smoothing
        )

    def scored(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """How many are right."""
        return (outputs.argmax(1) == targets).sum()

    def metrics(self, split: str, outputs: npt.NDArray[np.float32]) -> dict[str, float]:
        """Loss (without smoothing) and accuracy."""
        truth = self._truth[split]
        return {
            "loss": reports.cross_entropy(outputs, truth),
            "accuracy": float((outputs.argmax(1) == truth).mean()) if len(truth) else float("nan"),
        }

    def evaluation(self, split: str, outputs: npt.NDArray[np.float32]) -> dict[str, Any]:
        """The report of a classification."""
        return reports.classification(outputs, self._truth[split], self.labels)

    def predictions(self, outputs: npt.NDArray[np.float32]) -> list[int]:
        """Class numbers."""
        return [int(number) for number in outputs.argmax(1)]

    def exported(self) -> dict[str, Any]:
        """Raw bytes in, logits out."""
        channels, height, width = self.shape
        return {
            "input": "pixels", "output": "logits", "labels": self.labels, "features": self.features,
            "raw": f"uint8 (rows, {channels}, {height}, {width}), not normalised: the model does that",
        }  # fmt: skip


def _shape(manifest: dict[str, Any], folder: Path) -> tuple[int, ...]:
    shape, fitted = manifest.get("input", {}).get("shape"), manifest["features"]["shape"]
    if manifest["features"]["kind"] != "image" or shape != fitted:
        raise DatasetError(f"The manifest in {folder} is damaged: pictures of the shape {shape!r}.", AGAIN)
    return tuple(shape)
