"""Image classification: pictures of one size as bytes on the device, normalised inside the model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import cloudtui_features
from cloudtui_trainer import models, reports
from cloudtui_trainer.errors import DatasetError, TrainerError
from cloudtui_trainer.models import cnn, resnet
from cloudtui_trainer.params import Params, choice, ranged

AGAIN = "Push the dataset to this host again."


@dataclass(frozen=True)
class ImageParams(Params):
    """What image classification can be told, too."""

    label_smoothing: float = ranged(0.05, 0.0, 0.9)
    dropout: float = ranged(0.25, 0.0, 0.95)
    augment: str = choice("shift", "none", "shift_flip")
    """Move each training picture by up to a fourteenth of its size (tiny ones stay); mirror it as well."""


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
        manifest, self.dataset = _manifest(folder)
        self.features: dict[str, Any] = manifest["features"]
        self.labels: list[str] = manifest["classes"]
        self.shape = tuple(manifest["input"]["shape"])
        arrays = {split: _arrays(folder, entry, self.shape) for split, entry in manifest["splits"].items()}
        self._truth = {split: y for split, (_, y) in arrays.items()}
        if any(len(y) and not 0 <= y.min() <= y.max() < len(self.labels) for y in self._truth.values()):
            raise DatasetError(f"A label in {folder} is not one of its {len(self.labels)} classes.", AGAIN)
        place = device if _fits(sum(x.nbytes for x, _ in arrays.values()), device) else torch.device("cpu")
        self._x = {split: torch.from_numpy(np.array(x)).to(place) for split, (x, _) in arrays.items()}
        self._y = {split: torch.from_numpy(y).to(place) for split, y in self._truth.items()}

    def rows(self, split: str) -> int:
        """How many rows a split has."""
        return len(self._truth[split])

    def build(self, model: str) -> nn.Module:
        """A new network for pictures of this shape."""
        if model not in self.models:
            raise TrainerError(
                f"There is no model {model!r} for images.", f"Models: {', '.join(self.models)}."
            )
        kind = {"cnn": cnn, "resnet": resnet}[model]
        net = kind.spec(self.shape, len(self.labels), self.features, dropout=self.params.dropout)
        built = models.build(net).to(self.device)
        return nn.Module.to(built, memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]

    def batch(
        self, split: str, rows: torch.Tensor, *, augment: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Raw pictures and their class numbers."""
        rows = rows.to(self._x[split].device)
        pictures, targets = self._x[split][rows].to(self.device), self._y[split][rows].to(self.device)
        if augment and self.params.augment != "none":
            pictures = shifted(pictures, flip=self.params.augment == "shift_flip")
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


def shifted(pictures: torch.Tensor, *, flip: bool) -> torch.Tensor:
    """Each picture moved by its own few pixels (edges repeated) and, at will, mirrored, in one gather."""
    count, _, height, width = pictures.shape
    device = pictures.device

    def moved(size: int, mirror: torch.Tensor | None) -> torch.Tensor:
        reach = size // 14
        by = torch.randint(-reach, reach + 1, (count, 1), device=device)
        index = (torch.arange(size, device=device) + by).clamp_(0, size - 1)
        return index if mirror is None else torch.where(mirror, size - 1 - index, index)

    rows = moved(height, None)
    columns = moved(width, torch.rand((count, 1), device=device) < 0.5 if flip else None)
    each = torch.arange(count, device=device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _manifest(folder: Path) -> tuple[dict[str, Any], str]:
    try:
        content = (folder / "manifest.json").read_bytes()
        manifest = json.loads(content)
        if manifest["format"] != 1 or manifest["task"] != "image" or len(manifest["input"]["shape"]) != 3:
            raise DatasetError(f"{folder} does not hold images of a format that this trainer knows.")
        cloudtui_features.check(manifest["features"])
    except OSError as error:
        raise DatasetError(f"Cannot read the dataset {folder}: {error.strerror}.", AGAIN) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"The manifest in {folder} is damaged: {error!r}.", AGAIN) from None
    return manifest, hashlib.sha256(content).hexdigest()


def _arrays(
    folder: Path, entry: dict[str, Any], shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    try:
        x = np.load(folder / entry["x"], mmap_mode="r", allow_pickle=False)
        y = np.load(folder / entry["y"], allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"Cannot read {folder / entry['x']}: {error}.", AGAIN) from None
    rows = entry["rows"]
    if x.shape != (rows, *shape) or x.dtype != np.uint8 or y.shape != (rows,) or y.dtype != np.int64:
        raise DatasetError(f"The arrays in {folder} are not what its manifest says.", AGAIN)
    return x, y


def _fits(size: int, device: torch.device) -> bool:
    """All pictures fit on the GPU beside a model; else they stay here and go over batch by batch."""
    return device.type != "cuda" or size < torch.cuda.mem_get_info(device)[0] // 2
