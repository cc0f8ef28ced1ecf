"""Two models that predict a number, judged on the same rows: whose errors are smaller, and how surely.

A row is drawn with what both models say of it, so what makes a row hard for both falls out of the
difference. The interval is the bootstrap's, see `resampling`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_features.resampling import RESAMPLES, bootstrap

MOST_DRAWS = 400_000_000
"""Of many rows fewer resamples do, and take no longer."""
_FEWEST = 400


@dataclass(frozen=True)
class Gap:
    """What one figure of the second model is above that of the first, and between what it may well be."""

    delta: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """-1 where it is surely less, 1 where it is surely more, 0 where the rows cannot tell."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


@dataclass(frozen=True)
class PairedErrors:
    """What N rows say of two models, in the target's own unit."""

    mae: Gap
    rmse: Gap
    n: int
    closer_first: int
    """Rows of which the first model is nearer to the truth."""
    closer_second: int


def compare_errors(
    truth: npt.NDArray[Any], first: npt.NDArray[Any], second: npt.NDArray[Any], seed: int = 0
) -> PairedErrors:
    """Hold two models against each other, row by row.

    Args:
        truth: a number a row.
        first: what the first model says of these rows, in the same order.
        second: what the second one says.
        seed: of the draws; the same one, the same interval.

    Raises:
        ValueError: the rows are not the same, or there are none.
    """
    true, *said = (np.asarray(one, dtype=np.float64) for one in (truth, first, second))
    if not len(true) or any(one.shape != true.shape or one.ndim != 1 for one in said):
        raise ValueError(f"rows of shape {true.shape} cannot be paired with {[one.shape for one in said]}")
    off = [np.abs(one - true) for one in said]
    columns = np.stack([*off, *(one**2 for one in off)], axis=1)
    resamples = max(_FEWEST, min(RESAMPLES, MOST_DRAWS // len(true)))
    deltas = _gaps(columns.mean(0)[None])[0]
    ends = bootstrap(columns, _gaps, seed, resamples)
    mae, rmse = (Gap(float(delta), low, high) for delta, (low, high) in zip(deltas, ends, strict=True))
    return PairedErrors(mae, rmse, len(true), int((off[0] < off[1]).sum()), int((off[1] < off[0]).sum()))


def _gaps(means: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    one, other, one_square, other_square = means.T
    return np.stack([other - one, np.sqrt(other_square) - np.sqrt(one_square)], axis=1)
