"""Whether a model is right as often as it says."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloudtui_trainer.reports.arrays import Floats

BINS = 15


def calibration(confidence: Floats, right: Any) -> tuple[list[dict[str, Any]], float]:
    """Equal steps of confidence, and the expected calibration error (Guo et al. 2017): the mean gap by rows.

    Args:
        confidence: the probability of what was predicted, a number a row.
        right: whether it was right.

    Returns:
        The bins, each with the rows in (low, high], and the error; of no rows it is 0.
    """
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    said = np.bincount(place, confidence, minlength=BINS)
    true = np.bincount(place, np.asarray(right, dtype=float), minlength=BINS)
    bins = [
        {
            "low": number / BINS,
            "high": (number + 1) / BINS,
            "n": int(n),
            "confidence": float(said[number] / n) if n else None,
            "accuracy": float(true[number] / n) if n else None,
        }
        for number, n in enumerate(counts)
    ]
    error = float(np.abs(said - true).sum() / len(confidence)) if len(confidence) else 0.0
    return bins, error
