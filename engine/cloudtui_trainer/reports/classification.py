"""The report of predicted classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cloudtui_trainer.reports.arrays import Floats, Ints
from cloudtui_trainer.reports.calibration import calibration
from cloudtui_trainer.reports.intervals import wilson
from cloudtui_trainer.reports.scores import area_under_curve, cross_entropy, probabilities

MOST_ERRORS = 100


def classification(logits: Floats, truth: Ints, labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy with its interval, the classes, the confusion (rows are truth), calibration and mistakes.

    A class that was never predicted has precision 0, one that never occurs recall 0, as scikit-learn has it
    with `zero_division=0`. One that neither occurs nor was predicted has no part in the means, as there: a
    model that makes no mistake has 1 in each, whatever classes these rows lack. There is an `auc` where there
    are two classes and rows of both.
    """
    predicted = logits.argmax(1)
    count = len(labels)
    confusion = np.bincount(truth * count + predicted, minlength=count * count).reshape(count, count)
    right = np.diag(confusion)
    support = confusion.sum(1)
    precision = _ratio(right, confusion.sum(0))
    recall = _ratio(right, support)
    f1 = _ratio(2 * precision * recall, precision + recall)
    there = support + confusion.sum(0) > 0
    n = len(truth)
    certain = probabilities(logits).max(1) if n else np.zeros(0)
    bins, calibration_error = calibration(certain, predicted == truth)
    area = area_under_curve(logits, truth) if count == 2 else math.nan
    return {
        "n": n,
        "metrics": {
            "accuracy": float(right.sum() / n) if n else math.nan,
            "macro_precision": float(precision[there].mean()) if n else math.nan,
            "macro_recall": float(recall[there].mean()) if n else math.nan,
            "macro_f1": float(f1[there].mean()) if n else math.nan,
            "loss": cross_entropy(logits, truth),
            "ece": calibration_error,
            **({} if math.isnan(area) else {"auc": area}),
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
        "errors": _mistakes(certain, truth, predicted, labels),
        "calibration": bins,
    }


def _mistakes(certain: Floats, truth: Ints, predicted: Ints, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The wrong rows, the most certain first."""
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.argsort(-certain[wrong], kind="stable")[:MOST_ERRORS]]
    return [
        {
            "index": int(row),
            "truth": labels[truth[row]],
            "predicted": labels[predicted[row]],
            "confidence": round(float(certain[row]), 6),
        }
        for row in worst
    ]


def _ratio(part: Floats | Ints, whole: Floats | Ints) -> Floats:
    """Part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
