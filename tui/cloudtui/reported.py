"""Reports as a host wrote them, for every face: a value is taken where it is what it should be. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cloudtui import format as fmt
from cloudtui_engine.sanitize import clean_line

TITLES: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "macro_precision": "Precision (macro)",
    "macro_recall": "Recall (macro)",
    "macro_f1": "F1 (macro)",
    "auc": "AUC",
    "ece": "Calibration error",
    "loss": "Loss",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
}
"""What a metric is called, in the order in which metrics are told."""
SHARES = frozenset({"accuracy", "macro_precision", "macro_recall", "macro_f1"})
"""Metrics that are told in percent."""
VERDICTS: Mapping[str, fmt.Mark] = {
    "passes": fmt.Mark("✓", "passes", "good"),
    "fails": fmt.Mark("✗", "fails", "bad"),
    "undecided": fmt.Mark("◐", "undecided", "warn"),
    "dominated": fmt.Mark("·", "dominated", "quiet"),
    "no speed-up": fmt.Mark("·", "no speed-up", "quiet"),
}
"""What became of a compressed variant, on every face."""


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # a whole number may have hundreds of digits
        return None
    return found if math.isfinite(found) else None


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping, empty where it is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """A list, empty where it is none."""
    return list(value) if isinstance(value, list | tuple) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [one for one in items(value) if isinstance(one, Mapping)]


def pair(value: Any) -> tuple[float, float] | None:
    """Two finite numbers: an interval."""
    found = [number(one) for one in items(value)]
    if len(found) != 2 or found[0] is None or found[1] is None:
        return None
    return found[0], found[1]


def label(value: Any, width: int = 40) -> str:
    """A class, or a number that was predicted, on one line."""
    if isinstance(value, float):
        return fmt.count(value) if value.is_integer() and abs(value) < 1e9 else fmt.number(value)
    return fmt.MISSING if value is None else clean_line(str(value), width)


def figure(key: str, value: Any) -> str:
    """A metric's value as people write it."""
    return fmt.percent(number(value), 2) if key in SHARES else fmt.number(number(value))


def confidence(key: str, report: Mapping[str, Any]) -> tuple[float, float] | None:
    """The ends of a metric's 95% interval."""
    return pair(mapping(report.get("confidence")).get(key))


def interval(key: str, report: Mapping[str, Any]) -> str:
    """`[93.07, 94.03]` of a metric, empty where there is none."""
    between = confidence(key, report)
    if between is None:
        return ""
    low, high = (f"{one * 100:.2f}" if key in SHARES else fmt.number(one) for one in between)
    return f"[{low}, {high}]"


def ordered(metrics: Mapping[str, Any]) -> list[str]:
    """The keys of metrics: those that have a title first, in its order."""
    return [key for key in TITLES if key in metrics] + [str(key) for key in metrics if key not in TITLES]


def change(variant: Mapping[str, Any], comma: str = ", ") -> str:
    """`+0.13 [-0.17, +0.43]`: what a variant is above the model that it is made of, in points."""
    delta, between = number(variant.get("delta")), pair(variant.get("delta_ci"))
    if delta is None:
        return fmt.MISSING
    text = f"{delta * 100:+.2f}"
    return text if between is None else f"{text} [{between[0] * 100:+.2f}{comma}{between[1] * 100:+.2f}]"


def times(value: Any) -> str:
    """`3.81x`."""
    found = number(value)
    return fmt.MISSING if found is None else f"{found:.2f}x"
