"""The arithmetic of evaluations. Numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_ERRORS = 100
_Z = 1.959963984540054
"""Of a 95% interval."""

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


def classification(logits: Floats, truth: Ints, labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy with its interval, the classes, the confusion (rows are truth) and the most certain mistakes.

    A class that was never predicted has precision 0, one that never occurs recall 0, as scikit-learn has it
    with `zero_division=0`.
    """
    predicted = logits.argmax(1)
    count = len(labels)
    confusion = np.bincount(truth * count + predicted, minlength=count * count).reshape(count, count)
    right = np.diag(confusion)
    support = confusion.sum(1)
    precision = _ratio(right, confusion.sum(0))
    recall = _ratio(right, support)
    f1 = _ratio(2 * precision * recall, precision + recall)
    n = len(truth)
    return {
        "n": n,
        "metrics": {
            "accuracy": float(right.sum() / n) if n else math.nan,
            "macro_precision": float(precision.mean()),
            "macro_recall": float(recall.mean()),
            "macro_f1": float(f1.mean()),
            "loss": cross_entropy(logits, truth),
        },
        "confidence": {"accuracy": wilson(int(right.sum()), n)},
        "classes": [
            {
                "label": label,
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "support": int(support[index]),
            }
            for index, label in enumerate(labels)
        ],
        "confusion": confusion.tolist(),
        "errors": _mistakes(logits, truth, predicted, labels),
    }


def wilson(right: int, n: int) -> list[float]:
    """The 95% score interval of a share."""
    if not n:
        return [0.0, 1.0]
    share = right / n
    middle = share + _Z**2 / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    low = (middle - reach) / scale if right else 0.0  # rounding would put the end beside the share itself
    high = (middle + reach) / scale if right < n else 1.0
    return [low, high]


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


def _mistakes(logits: Floats, truth: Ints, predicted: Ints, labels: Sequence[str]) -> list[dict[str, Any]]:
    wrong = np.flatnonzero(predicted != truth)
    certain = probabilities(logits[wrong]).max(1) if len(wrong) else np.zeros(0)
    worst = np.argsort(-certain, kind="stable")[:MOST_ERRORS]
    return [
        {
            "index": int(wrong[place]),
            "truth": labels[truth[wrong[place]]],
            "predicted": labels[predicted[wrong[place]]],
            "confidence": round(float(certain[place]), 6),
        }
        for place in worst
    ]


def _ratio(part: Floats | Ints, whole: Floats | Ints) -> Floats:
    """Part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
