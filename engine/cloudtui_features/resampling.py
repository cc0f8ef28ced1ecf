"""How sure a figure of rows is, by drawing rows anew: the bootstrap's percentile interval.

B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap" (Chapman & Hall, 1993), chapter 13. Rows are
drawn whole, so what two models say of one row stays together: a difference between them is a figure of
paired rows (section 8.3 there).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
_AT_ONCE = 4_000_000
"""Draws held in memory at a time."""


def bootstrap(
    columns: npt.NDArray[np.floating],
    figures: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[list[float]]:
    """95% percentile intervals of figures that are functions of column means, by drawing rows anew.

    Args:
        columns: a row a row, a column for each mean that is needed.
        figures: from means (resamples, columns) to figures (resamples, figures).
        seed: of the draws; the same one, the same interval.
        resamples: how often all rows are drawn.

    Returns:
        Low and high of each figure; NaN where no resample gives a number.
    """
    rows = len(columns)
    chance = np.random.default_rng(seed)
    means = np.empty((resamples, columns.shape[1]))
    step = max(1, _AT_ONCE // max(rows, 1))
    for first in range(0, resamples, step):
        many = min(step, resamples - first)
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
