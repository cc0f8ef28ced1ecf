"""How sure a measured number is: 95% intervals."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.reports.arrays import Floats

RESAMPLES = 2000
_Z = 1.959963984540054
_AT_ONCE = 4_000_000
"""Draws held in memory at a time."""


def wilson(right: int, n: int) -> list[float]:
    """The score interval of a share."""
    if not n:
        return [0.0, 1.0]
    share = right / n
    middle = share + _Z**2 / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    low = (middle - reach) / scale if right else 0.0  # rounding would put the end beside the share itself
    high = (middle + reach) / scale if right < n else 1.0
    return [low, high]


def bootstrap(
    columns: Floats, figures: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]], seed: int = 0
) -> list[list[float]]:
    """Percentile intervals of figures that are functions of column means, by drawing rows anew.

    Args:
        columns: a row a row, a column for each mean that is needed.
        figures: from means (resamples, columns) to figures (resamples, figures).
        seed: of the draws; the same one, the same interval.

    Returns:
        Low and high of each figure; NaN where no resample gives a number.
    """
    rows = len(columns)
    chance = np.random.default_rng(seed)
    means = np.empty((RESAMPLES, columns.shape[1]))
    step = max(1, _AT_ONCE // max(rows, 1))
    for first in range(0, RESAMPLES, step):
        many = min(step, RESAMPLES - first)
        draws = chance.integers(0, rows, (many, rows)) + np.arange(many)[:, None] * rows
        times = np.bincount(draws.ravel(), minlength=many * rows).reshape(many, rows)
        means[first : first + many] = times @ columns / rows
    found = figures(means)
    return [_ends(column[np.isfinite(column)]) for column in found.T]


def _ends(values: npt.NDArray[np.float64]) -> list[float]:
    if not len(values):
        return [math.nan, math.nan]
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]
