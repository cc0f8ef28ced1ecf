"""The report of predicted numbers, in the target's own unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.reports.arrays import Floats
from cloudtui_trainer.reports.intervals import bootstrap

MOST_ERRORS = 100
BINS = 20


def figures(predicted: Floats, truth: Floats, scale: float) -> dict[str, float]:
    """Mean absolute and root mean square error, R2, and the loss: the mean square in units of `scale`."""
    if not len(truth):
        return dict.fromkeys(("mae", "rmse", "r2", "loss"), math.nan)
    mae, rmse, r2 = _from_means(_columns(predicted, truth).mean(0)[None])[0]
    return {"mae": float(mae), "rmse": float(rmse), "r2": float(r2), "loss": float((rmse / scale) ** 2)}


def regression(predicted: Floats, truth: Floats, scale: float) -> dict[str, Any]:
    """Errors with bootstrap intervals, the largest of them, and how they are spread.

    Args:
        predicted: a number a row.
        truth: the same.
        scale: the target's deviation in the train rows.
    """
    predicted, truth = predicted.astype(np.float64), truth.astype(np.float64)
    ends = bootstrap(_columns(predicted, truth), _from_means) if len(truth) else [[math.nan, math.nan]] * 3
    return {
        "n": len(truth),
        "metrics": figures(predicted, truth, scale),
        "confidence": dict(zip(("mae", "rmse", "r2"), ends, strict=True)),
        "errors": _largest(predicted, truth),
        "residuals": _spread(predicted - truth),
    }


def _columns(predicted: Floats, truth: Floats) -> npt.NDArray[np.float64]:
    """What all figures are functions of the means of; the truth about its mean, for the sake of digits."""
    off = predicted.astype(np.float64) - truth
    centred = truth - truth.mean(dtype=np.float64)
    return np.stack([np.abs(off), off**2, centred, centred**2], axis=1)


def _from_means(means: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    absolute, square, first, second = means.T
    spread = second - first**2
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0, 1 - square / spread, np.nan)
    return np.stack([absolute, np.sqrt(square), r2], axis=1)


def _largest(predicted: Floats, truth: Floats) -> list[dict[str, Any]]:
    worst = np.argsort(-np.abs(predicted - truth), kind="stable")[:MOST_ERRORS]
    return [
        {"index": int(row), "truth": _short(truth[row]), "predicted": _short(predicted[row])} for row in worst
    ]


def _spread(residuals: Floats) -> list[dict[str, Any]]:
    """A histogram of predicted minus true, from the least to the largest."""
    if not len(residuals) or not np.isfinite(residuals).all():
        return []
    counts, edges = np.histogram(residuals, BINS)
    return [
        {"low": float(low), "high": float(high), "n": int(n)}
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _short(value: Any) -> float:
    return float(f"{float(value):.7g}")
