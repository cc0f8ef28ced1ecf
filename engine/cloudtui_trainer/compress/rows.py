"""Who may see which rows: what is fitted sees train alone, the judge sees test once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.randomness import mixed
from cloudtui_trainer.tasks.base import Task

_CHOICE = 11
"""What the seed of a sample is used for; apart from those of training."""


class LeakError(TrainerError):
    """Rows that must stay unseen were asked for."""


class TrainRows:
    """The rows of train: all that calibration, sensitivity and distillation are ever given."""

    def __init__(self, task: Task, split: str = "train") -> None:
        if split != "train":
            raise LeakError(
                f"Nothing may be fitted on the {split} rows: calibration and distillation see train alone."
            )
        if not task.rows(split):
            raise TrainerError(
                "This dataset has no train rows, and calibration and distillation need some.",
                "Give the dataset that the model was trained on.",
            )
        self._task = task
        self.count = task.rows(split)

    def batch(self, rows: torch.Tensor, *, augment: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of some rows."""
        return self._task.batch("train", rows, augment=augment)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss that the task trains on."""
        return self._task.loss(outputs, targets)

    def sample(self, count: int, seed: int) -> torch.Tensor:
        """Inputs of so many rows (or of all, where there are fewer), the same for the same seed."""
        chance = torch.Generator().manual_seed(mixed(seed, _CHOICE, 0))
        return self.batch(torch.randperm(self.count, generator=chance)[:count])[0].cpu()


class CalibrationReader:
    """Gives ONNX Runtime the inputs that set the ranges of int8, in batches of its own size."""

    BATCH = 64

    def __init__(self, rows: TrainRows, count: int, seed: int, name: str) -> None:
        if not isinstance(rows, TrainRows):
            raise LeakError("Calibration is given the rows of train and no others.")
        self._inputs = rows.sample(count, seed).numpy()
        self._name = name
        self._place = 0

    def __len__(self) -> int:
        return len(self._inputs)

    def get_next(self) -> dict[str, npt.NDArray[np.generic]] | None:
        """The next batch by the input's name, or None at the end."""
        batch = self._inputs[self._place : self._place + self.BATCH]
        self._place += self.BATCH
        return {self._name: batch} if len(batch) else None


class Judge:
    """The rows that decide: validation as often as wanted, test for one candidate and the baseline."""

    AT_ONCE = 256

    def __init__(self, task: Task) -> None:
        if not task.rows("validation"):
            raise TrainerError(
                "This dataset has no validation rows, and the choice between candidates is made on them.",
                "Make a new version of the dataset with a validation split.",
            )
        self._task = task
        self._tested: list[str] = []

    def open_test(self, candidate: str) -> None:
        """Touch the test rows for the chosen candidate.

        Raises:
            LeakError: they were touched for another one.
        """
        if self._tested and self._tested != [candidate]:
            raise LeakError(
                f"The test rows were already used for {self._tested[0]}: they can choose no more."
            )
        self._tested = [candidate]

    def batches(self, split: str) -> Iterator[tuple[npt.NDArray[np.generic], npt.NDArray[np.int64]]]:
        """Inputs and truth of a split, in row order.

        Raises:
            LeakError: test was not opened.
        """
        if split == "test" and not self._tested:
            raise LeakError("The test rows are for the chosen candidate alone.")
        for rows in torch.split(torch.arange(self._task.rows(split)), self.AT_ONCE):
            inputs, targets = self._task.batch(split, rows)
            yield inputs.cpu().numpy(), targets.cpu().numpy().astype(np.int64)

    def rows(self, split: str) -> int:
        """How many rows a split has."""
        return self._task.rows(split)
