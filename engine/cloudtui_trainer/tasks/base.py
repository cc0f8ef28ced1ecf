"""What the loop needs of a task: the whole contract. The loop knows nothing of pictures, tables or words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cloudtui_trainer.params import Params
from cloudtui_trainer.store import Store

Outputs = npt.NDArray[np.float32]
SPLITS = ("train", "validation", "test")


class Fitted(Protocol):
    """A model that grows."""

    most: int
    """Rounds, at most."""
    patience: int
    """Rounds without a better validation after which it ends; 0 is never."""

    @property
    def rounds(self) -> int:
        """So far."""
        ...

    @property
    def parameters(self) -> int:
        """How many numbers it consists of."""
        ...

    def grow(self, rounds: int) -> None:
        """Add rounds."""
        ...

    def outputs(self, split: str) -> Outputs:
        """For every row of a split, in row order."""
        ...

    def cut(self, rounds: int) -> None:
        """Leave the first rounds alone."""
        ...

    def to_onnx(self, stated: dict[str, Any]) -> bytes:
        """The exported file, with all that is stated in it."""
        ...


class Task(Protocol):
    """Data, model, loss and judgement of one kind of problem."""

    Params: type[Params]
    """Its parameters: `Params` or a subclass."""
    models: tuple[str, ...]
    """Names of its models, the default first."""
    goals: Mapping[str, str]
    """Each metric and whether less or more of it is better: min or max."""
    selection: tuple[str, ...]
    """Metrics of validation that choose the best epoch; the next one decides where the first is equal."""
    score: str
    """The metric that `scored` sums over training batches, beside the loss."""
    store: Store
    """Where the rows are; the loop lets it read ahead."""

    def __init__(self, folder: Path, params: Any, device: torch.device) -> None: ...

    @property
    def dataset(self) -> str:
        """The sha256 of the dataset."""
        ...

    def rows(self, split: str) -> int:
        """How many rows a split has."""
        ...

    def targets(self, split: str) -> npt.NDArray[Any]:
        """Class numbers or numbers of a split, in row order."""
        ...

    def fitted(self, model: str) -> Fitted | None:
        """A new model that grows by itself; none where this one is trained by the loop."""
        ...

    def build(self, model: str) -> nn.Module:
        """A new model that takes what `batch` gives, raw input included its normalisation."""
        ...

    def batch(
        self, split: str, rows: torch.Tensor, *, augment: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of some rows, on the device; augmentation draws from the device's generator."""
        ...

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The mean loss that is trained on."""
        ...

    def scored(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The sum of `score` over the batch, left on the device."""
        ...

    def metrics(self, split: str, outputs: Outputs) -> dict[str, float]:
        """All metrics in `goals`, of a whole split's outputs in row order."""
        ...

    def evaluation(self, split: str, outputs: Outputs) -> dict[str, Any]:
        """The full report of a whole split."""
        ...

    def predictions(self, outputs: Outputs) -> list[Any]:
        """What the model says of each row, short."""
        ...

    def exported(self) -> dict[str, Any]:
        """What the exported file states: `input`, `output` (names), `labels`, and how raw input must look."""
        ...


def improved(task: Task, new: dict[str, float], best: Mapping[str, Any]) -> bool:
    """The newest weights are to be kept: better ones, the first, or where no validation rows can tell."""
    return not best or not task.rows("validation") or better(task, new, best["metrics"])


def better(task: Task, new: dict[str, float], old: dict[str, float]) -> bool:
    """By the task's selection: the first metric that differs decides; NaN is worse than any number."""
    for key in task.selection:
        sign = 1 if task.goals[key] == "max" else -1
        left, right = (-math.inf if math.isnan(value) else sign * value for value in (new[key], old[key]))
        if left != right:
            return left > right
    return False
