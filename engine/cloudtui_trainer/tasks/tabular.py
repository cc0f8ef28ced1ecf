"""Tables: classes or numbers from rows of numbers and categories, prepared inside the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cloudtui_trainer import models, reports
from cloudtui_trainer.errors import DatasetError, TrainerError
from cloudtui_trainer.models import mlp
from cloudtui_trainer.models.boosting import Boosting
from cloudtui_trainer.params import Params, ranged
from cloudtui_trainer.reports.regression import figures
from cloudtui_trainer.store import Store
from cloudtui_trainer.tasks.base import SPLITS
from cloudtui_trainer.tasks.boosted import Boosted
from cloudtui_trainer.tasks.shards import AGAIN, read_arrays, read_manifest


@dataclass(frozen=True)
class TabularParams(Params):
    """What tables can be told, too."""

    batch_size: int = ranged(0, 0, 65_536)
    """Rows of an update; 0 takes 128, and of a small table fewer, lest it ends before it has learned."""
    weight_decay: float = ranged(0.1, 0.0, 10.0)
    ema: float = ranged(0.9, 0.0, 0.99999)
    label_smoothing: float = ranged(0.02, 0.0, 0.9)
    dropout: float = ranged(0.6, 0.0, 0.95)
    width: int = ranged(256, 1, 8192)
    """Of a hidden layer of the mlp; `depth` is how many there are."""
    depth: int = ranged(2, 1, 32)
    embedding: int = ranged(16, 1, 1024)
    """Numbers that stand for a column in the mlp."""
    trees: int = ranged(1000, 1, 100_000)
    """Most rounds of boosting."""
    leaves: int = ranged(15, 2, 4096)
    """Of a tree of boosting, at most."""
    patience: int = ranged(50, 0, 100_000)
    """Rounds of boosting without a better validation after which it ends; 0 is never."""
    shrinkage: float = ranged(0.1, 0.0001, 1.0)
    """How much of each tree of boosting is added."""

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.lr or {"adamw": 0.002, "sgd": 0.05}[self.optimizer]

    def update_rows(self, rows: int) -> int:
        """Where none are given: a sixteenth of the rows, from 16 to 128."""
        return self.batch_size or min(max(rows // 16, 16), 128)


class TabularTask:
    """See `base.Task`."""

    Params = TabularParams
    models = ("mlp", "boosting")
    goals: Mapping[str, str]
    selection: tuple[str, ...]
    score: str

    def __init__(self, folder: Path, params: TabularParams, device: torch.device) -> None:
        self.params = params
        self.device = device
        manifest, self.dataset = read_manifest(folder, "tabular")
        self.features: dict[str, Any] = manifest["features"]
        self.labels: list[str] = manifest["classes"]
        self.target: dict[str, Any] = _target(manifest, folder)
        self.is_number = self.target["kind"] == "number"
        shape, kinds = (
            (len(self.features["columns"]),),
            (np.float32, np.float32 if self.is_number else np.int64),
        )
        arrays = {
            name: read_arrays(folder, split, shape, kinds) for name, split in manifest["splits"].items()
        }
        self._truth = {split: y for split, (_, y) in arrays.items()}
        self._check(folder)
        self.store = Store(arrays, device, params.data)
        self.scale = float(self.features["target"]["std"]) if self.is_number else 1.0
        if self.is_number:
            self.goals = {"loss": "min", "rmse": "min", "mae": "min", "r2": "max"}
            self.selection, self.score = ("loss",), "mae"
        else:
            self.goals = {"loss": "min", "accuracy": "max"}
            self.selection, self.score = ("loss", "accuracy"), "accuracy"
            if len(self.labels) == 2:
                self.goals |= {"auc": "max"}

    def _check(self, folder: Path) -> None:
        for y in self._truth.values():
            if self.is_number and not np.isfinite(y).all():
                raise DatasetError(f"A target in {folder} is not a finite number.", AGAIN)
            if not self.is_number and len(y) and not 0 <= y.min() <= y.max() < len(self.labels):
                raise DatasetError(
                    f"A label in {folder} is not one of its {len(self.labels)} classes.", AGAIN
                )

    def rows(self, split: str) -> int:
        """How many rows a split has."""
        return len(self._truth[split])

    def targets(self, split: str) -> npt.NDArray[Any]:
        """Class numbers or numbers of a split, in row order."""
        return self._truth[split]

    def fitted(self, model: str) -> Boosted | None:
        """Trees that grow, for the model boosting."""
        if model != "boosting":
            return None
        params = self.params
        rows = {split: self.batch(split, torch.arange(self.rows(split)))[0].cpu().numpy() for split in SPLITS}
        boosting = Boosting(
            self.features, rows["train"], self._truth["train"], len(self.labels),
            rate=params.shrinkage, leaves=params.leaves, seed=params.seed, threads=params.threads,
        )  # fmt: skip
        return Boosted(boosting, rows, params.trees, params.patience)

    def build(self, model: str) -> nn.Module:
        """A new network for these columns."""
        if model != "mlp":
            raise TrainerError(
                f"There is no model {model!r} for tables.", f"Models: {', '.join(self.models)}."
            )
        params = self.params
        net = mlp.spec(
            self.features,
            len(self.labels),
            widths=[params.width] * params.depth,
            embedding=params.embedding,
            dropout=params.dropout,
        )
        return models.build(net).to(self.device)

    def batch(
        self,
        split: str,
        rows: torch.Tensor,
        *,
        augment: bool = False,  # noqa: ARG002 - as every task has it
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Raw rows and their targets. Nothing is augmented."""
        return self.store.batch(split, rows)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, or the mean square error in deviations of the target."""
        if self.is_number:
            return nn.functional.mse_loss(outputs.float()[:, 0] / self.scale, targets / self.scale)
        return nn.functional.cross_entropy(
            outputs.float(), targets, label_smoothing=self.params.label_smoothing
        )

    def scored(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """How many are right, or the sum of what they are off."""
        if self.is_number:
            return (outputs.float()[:, 0] - targets).abs().sum()
        return (outputs.argmax(1) == targets).sum()

    def metrics(self, split: str, outputs: npt.NDArray[np.float32]) -> dict[str, float]:
        """Loss, accuracy and, of two classes, the area under the curve; or loss, rmse, mae and r2."""
        truth = self._truth[split]
        if self.is_number:
            return figures(outputs[:, 0], truth, self.scale)
        found = {
            "loss": reports.cross_entropy(outputs, truth),
            "accuracy": float((outputs.argmax(1) == truth).mean()) if len(truth) else float("nan"),
        }
        return found | ({"auc": reports.area_under_curve(outputs, truth)} if len(self.labels) == 2 else {})

    def evaluation(self, split: str, outputs: npt.NDArray[np.float32]) -> dict[str, Any]:
        """The report of a classification or a regression."""
        if self.is_number:
            return reports.regression(outputs[:, 0], self._truth[split], self.scale)
        return reports.classification(outputs, self._truth[split], self.labels)

    def predictions(self, outputs: npt.NDArray[np.float32]) -> list[Any]:
        """Class numbers, or numbers in the target's unit."""
        if self.is_number:
            return [float(f"{value:.7g}") for value in outputs[:, 0].tolist()]
        return [int(number) for number in outputs.argmax(1)]

    def exported(self) -> dict[str, Any]:
        """Raw rows in; logits, or numbers in the target's unit, out."""
        columns = [{"name": column["name"], "kind": column["kind"]} for column in self.features["columns"]]
        return {
            "input": "rows", "output": "prediction" if self.is_number else "logits", "labels": self.labels,
            "features": self.features, "columns": columns, "target": self.target,
            "raw": f"float32 (rows, {len(columns)}): numbers as they are, NaN where missing; categories as "
            "their place in the vocabulary plus one, 0 where missing or unseen; the model does the rest",
        }  # fmt: skip


def _target(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    target = manifest.get("target")
    kind = target.get("kind") if isinstance(target, dict) else None
    known = kind == manifest["features"]["target"]["kind"] and (kind == "number") == (not manifest["classes"])
    if not isinstance(target, dict) or not known:
        raise DatasetError(f"The manifest in {folder} is damaged: its target is {target!r}.", AGAIN)
    return target
