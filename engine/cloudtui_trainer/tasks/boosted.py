"""Boosted trees of a table, as something that grows: see `fitting.Fitted`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.models.boosting import Boosting


class Boosted:
    """Trees over the rows of each split, whose sums are kept up as they grow.

    Args:
        boosting: the trees, none so far.
        rows: raw rows of each split.
        most: rounds, at most.
        patience: rounds without a better validation after which it ends.
    """

    def __init__(
        self, boosting: Boosting, rows: dict[str, npt.NDArray[np.float32]], most: int, patience: int
    ) -> None:
        self.most, self.patience = most, patience
        self._boosting = boosting
        self._rows = {split: boosting.ranks.apply(x) for split, x in rows.items()}
        self._sums: dict[str, tuple[int, npt.NDArray[np.float64]]] = {}

    @property
    def rounds(self) -> int:
        """So far."""
        return len(self._boosting.forest.rounds)

    @property
    def parameters(self) -> int:
        """Thresholds and values: one a node."""
        return self._boosting.forest.nodes

    def grow(self, rounds: int) -> None:
        """Add rounds of trees."""
        self._boosting.grow(rounds)

    def outputs(self, split: str) -> npt.NDArray[np.float32]:
        """For every row of a split; only rounds that are new since the last time are computed."""
        done, sums = self._sums.get(split, (0, np.zeros(0)))
        new = self._boosting.forest.outputs(self._rows[split], done)
        self._sums[split] = (self.rounds, sums + new if done else new)
        return self._boosting.outputs(self._sums[split][1])

    def cut(self, rounds: int) -> None:
        """Leave the first rounds alone."""
        del self._boosting.forest.rounds[rounds:]
        self._sums.clear()

    def to_onnx(self, stated: dict[str, Any]) -> bytes:
        """The exported file."""
        return self._boosting.to_onnx(stated)
