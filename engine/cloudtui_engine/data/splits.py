"""Which row goes to train, validation or test: seeded, and with each class in proportion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

TRAIN, VALIDATION, TEST = 0, 1, 2
UNSPLIT = -1
NAMES = {
    "train": TRAIN, "training": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip
"""What people call them."""
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1

Rows = npt.NDArray[Any]


def assign(labels: Rows, given: Rows, *, seed: int = 0) -> Rows:
    """The split of each row.

    Rows whose split is `given` keep it. What is missing is drawn from the rest, class by class: a fifth of
    the rows for test, a tenth for validation; every class keeps at least one row to train on.

    Args:
        labels: the class number of each row.
        given: the split of each row, or `UNSPLIT` where it is to be chosen.
        seed: another seed, another draw; the same seed, the same draw.
    """
    codes = np.array(given, dtype=np.int8)
    open_rows = np.flatnonzero(codes == UNSPLIT)
    has_test = bool((codes == TEST).any())
    has_validation = bool((codes == VALIDATION).any())
    test = 0 if has_test else math.ceil(TEST_SHARE * len(open_rows))
    validation = 0 if has_validation else round(VALIDATION_SHARE * len(open_rows))
    if not has_validation and len(open_rows) > 1:
        validation = max(1, validation)
    counts = np.bincount(labels[open_rows], minlength=1)
    test_of = shares(counts, test, keep=1)
    validation_of = shares(counts - test_of, validation, keep=1)
    generator = np.random.default_rng(seed)
    codes[open_rows] = TRAIN
    for label in np.flatnonzero(counts):
        rows = generator.permutation(open_rows[labels[open_rows] == label])
        first, second = int(test_of[label]), int(test_of[label] + validation_of[label])
        codes[rows[:first]] = TEST
        codes[rows[first:second]] = VALIDATION
    return codes


def shares(counts: Rows | Sequence[int], total: int, *, keep: int = 0) -> Rows:
    """`total` divided over classes in proportion to `counts` (largest remainders), `keep` of each left over.

    The sum is `total`, or as near to it as `keep` allows.
    """
    counts = np.asarray(counts, dtype=np.int64)
    given: Rows
    rows = int(counts.sum())
    room = np.maximum(counts - keep, 0)
    if not rows or total <= 0:
        return np.zeros_like(counts)
    exact = counts * (total / rows)
    given = np.minimum(np.floor(exact).astype(np.int64), room)
    while given.sum() < min(total, room.sum()):
        wanting = np.where(given < room, exact - given, -np.inf)
        missing = int(min(total, room.sum()) - given.sum())
        best = np.argsort(-wanting, kind="stable")[: min(missing, int((given < room).sum()))]
        given[best] += 1
    return given
