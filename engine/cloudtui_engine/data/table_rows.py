"""Rows that are alike: which they are, so that the same row is never both learned from and tested on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.manifest import SPLITS
from cloudtui_engine.data.splits import UNSPLIT, assign
from cloudtui_engine.data.tables import Column

_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = 0x9E3779B97F4A7C15
_NATURAL = 0.5
"""Where less than half of the rows are different, a row comes again by nature: few columns of few values."""


def groups(columns: Sequence[Column]) -> npt.NDArray[Any]:
    """For each row the first row that is the same in all the columns."""
    hashes = np.zeros(len(columns[0].values), dtype=np.uint64)
    for place, column in enumerate(columns):
        values = column.values.astype(np.float64) + 0.0  # -0 is 0
        values[np.isnan(values)] = np.nan
        salt = np.uint64((place + 1) * _STEP % 2**64)
        hashes = _mixed(hashes ^ _mixed(values.view(np.uint64) + salt))
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    found: npt.NDArray[Any] = first[inverse]
    return found


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Every bit of the result hangs on every bit of the value (splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


def in_several_splits(group: npt.NDArray[Any], codes: npt.NDArray[Any]) -> int:
    """How many groups of equal rows have rows in more than one split."""
    _, number = np.unique(group, return_inverse=True)
    pairs = np.unique(number * len(SPLITS) + codes)
    return int((np.bincount(pairs // len(SPLITS)) > 1).sum())


def come_again_by_nature(group: npt.NDArray[Any]) -> bool:
    """So many rows are alike that keeping them together would leave hardly anything to divide."""
    return len(np.unique(group)) < _NATURAL * len(group)


def split(
    strata: npt.NDArray[Any], given: npt.NDArray[Any], group: npt.NDArray[Any], seed: int
) -> npt.NDArray[Any]:
    """The split of each row; rows of a group that have no split yet get the same one."""
    codes = np.array(given, dtype=np.int8)
    still = np.flatnonzero(codes == UNSPLIT)
    _, first = np.unique(group[still], return_index=True)
    firsts = still[np.sort(first)]
    fixed = np.flatnonzero(codes != UNSPLIT)
    chosen = np.sort(np.concatenate([firsts, fixed]))
    codes[chosen] = assign(strata[chosen], codes[chosen], seed=seed)
    by_group = np.full(len(group), UNSPLIT, dtype=np.int8)
    by_group[group[firsts]] = codes[firsts]
    codes[still] = by_group[group[still]]
    return codes
