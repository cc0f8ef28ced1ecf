"""Numbers that say how good logits are."""

from __future__ import annotations

import math

import numpy as np

from cloudtui_trainer.reports.arrays import Floats, Ints


def probabilities(logits: Floats) -> Floats:
    """Softmax of each row."""
    raised = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    shares: Floats = raised / raised.sum(1, keepdims=True)
    return shares


def cross_entropy(logits: Floats, truth: Ints) -> float:
    """The mean of -log of the probability of the truth; NaN of no rows."""
    if not len(truth):
        return math.nan
    wide = logits.astype(np.float64)
    top = wide.max(1)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.log(np.exp(wide - top[:, None]).sum(1)) + top
    return float((total - wide[np.arange(len(truth)), truth]).mean())


def area_under_curve(logits: Floats, truth: Ints) -> float:
    """Of two classes: how often a row of the second scores higher than one of the first, ties half.

    By the mean ranks of equal scores (Mann and Whitney), in the time of a sort. NaN where a class has no row.
    """
    positive = truth == 1
    ups = int(positive.sum())
    downs = len(truth) - ups
    if not ups or not downs:
        return math.nan
    score = logits[:, 1].astype(np.float64) - logits[:, 0]
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))
