"""Columns that tell the target alone: most often they are known only once the target is.

The rule, on train rows only (at most 20,000 of them):

- classes: each value of the column (numbers in 64 parts of equal size) foretells the class that the *other*
  rows of that value have most often. It leaks where this gets right 98% of what guessing the largest class
  gets wrong; or, with two classes, where the area under its ROC curve is at least 0.999.
- a number: a column of numbers leaks where its squared correlation with it (of values or of ranks) is at
  least 0.99, a category where the means of the other rows of its words explain 99% of the variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.table_target import Target
from cloudtui_engine.data.tables import Column, Finding

LEAST_ROWS = 50
_MOST_ROWS = 20_000
_PARTS = 64
_OF_CLASSES, _AREA, _OF_NUMBERS = 0.98, 0.999, 0.99
_WHAT_TO_DO = "If it is not known when a prediction is made, add the data again with --leave-out."

Values = npt.NDArray[Any]


def leak(column: Column, target: Target, train: npt.NDArray[np.bool_]) -> Finding | None:
    """What to say of a column that foretells the target almost perfectly; None of any other."""
    rows = np.flatnonzero(train)
    rows = rows[:: max(1, len(rows) // _MOST_ROWS)]
    if len(rows) < LEAST_ROWS:
        return None
    mine = column.at(rows)
    y = target.y[rows]
    if target.kind == "classes":
        found = _of_classes(mine, y, len(target.classes))
    else:
        found = _of_number(mine, y.astype(np.float64))
    if not found:
        return None
    return Finding("leaking", f"{column.name} alone {found} on the train rows. {_WHAT_TO_DO}", column.name)


def _of_classes(column: Column, y: Values, classes: int) -> str:
    parts = _parts(column)
    counts = np.bincount(parts * classes + y, minlength=(parts.max() + 1) * classes).reshape(-1, classes)
    ordered = np.sort(counts, axis=1)
    top, second = ordered[:, -1], ordered[:, -2]
    right = top[(top > second) & (top > 1)].sum() / len(y)
    base = counts.sum(axis=0).max() / len(y)
    if base < 1 and (right - base) / (1 - base) >= _OF_CLASSES:
        return f"tells the class of {right:.1%} of the rows (guessing: {base:.1%})"
    if classes == 2 and not column.is_category and not column.missing.any():
        area = _area(column.values, y == 1)
        if max(area, 1 - area) >= _AREA:
            return f"puts the two classes in order (area under the curve {max(area, 1 - area):.4f})"
    return ""


def _parts(column: Column) -> Values:
    """The values as numbers from 0; 0 is missing."""
    if column.is_category:
        return column.values.astype(np.int64) + 1
    there = column.values[~column.missing]
    edges = np.unique(there)
    if len(edges) > _PARTS:
        edges = np.unique(np.quantile(there, np.linspace(0, 1, _PARTS + 1)[:-1]))
    found = np.searchsorted(edges, column.values, side="right")
    found[column.missing] = 0
    return found


def _of_number(column: Column, y: Values) -> str:
    there = ~column.missing
    if there.sum() < max(LEAST_ROWS, len(y) // 2) or y[there].std() == 0:
        return ""
    y = y[there]
    values = column.values[there]
    if not column.is_category:
        if values.std() == 0:
            return ""
        same = max(_squared(values, y), _squared(_ranks(values), _ranks(y)))
        return f"explains {same:.1%} of the target" if same >= _OF_NUMBERS else ""
    counts = np.bincount(values)[values]
    sums = np.bincount(values, weights=y)[values]
    others = np.where(counts > 1, (sums - y) / np.maximum(counts - 1, 1), y.mean())
    explained = 1 - ((y - others) ** 2).mean() / y.var()
    return f"explains {explained:.1%} of the target" if explained >= _OF_NUMBERS else ""


def _squared(one: Values, other: Values) -> float:
    return float(np.corrcoef(one / np.abs(one).max(), other / np.abs(other).max())[0, 1] ** 2)


def _ranks(values: Values) -> Values:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks: Values = middle[inverse]
    return ranks


def _area(values: Values, positive: npt.NDArray[np.bool_]) -> float:
    """Under the ROC curve of the values, ties counted half."""
    ones = int(positive.sum())
    zeros = len(values) - ones
    if not ones or not zeros:
        return 0.5
    return float((_ranks(values)[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))
