"""What an x axis counts: how its marks are chosen and how a place on it is read out. Pure."""

from __future__ import annotations

import math
from typing import Literal

from cloudtui.widgets.ticks import axis_label, ticks

Axis = Literal["step", "time", "epoch"]

_SPACED = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Seconds between two marks of a time axis; whole days above."""


def marks(axis: Axis, low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Places from `low` to `high` and what is written there."""
    if axis == "time" and high - low >= most:
        return [(place, clock(place)) for place in _times(low, high, most)]
    places = ticks(low, high, most)
    step = places[1] - places[0] if len(places) > 1 else high - low
    unit = "s" if axis == "time" else ""
    return [(place, axis_label(place, step) + unit) for place in places]


def reading(axis: Axis, at: float) -> str:
    """A place on the axis in words: `step 1,234`, `1h02m03s`, `epoch 3.41`."""
    if axis == "time":
        return clock(at) if abs(at) >= 60 else f"{at:.1f}s"
    return f"step {at:,.0f}" if axis == "step" else f"epoch {at:.2f}"


def clock(seconds: float) -> str:
    """A time as short as it can be said: `0s`, `45s`, `2m`, `1h30m`, `2d6h`."""
    if not math.isfinite(seconds):
        return "–"
    whole = round(abs(seconds))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    units = (("d", days), ("h", hours), ("m", minutes), ("s", whole % 60))
    parts = [(number, unit) for unit, number in units]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    while len(parts) > 1 and not parts[-1][0]:
        parts.pop()
    text = "".join(
        f"{number:02d}{unit}" if i else f"{number}{unit}" for i, (number, unit) in enumerate(parts)
    )
    return f"-{text}" if seconds < 0 and whole else text


def _times(low: float, high: float, most: int) -> list[float]:
    span = high - low
    for step in _SPACED:
        if span / step <= most:
            break
    else:
        step = 86_400 * math.ceil(span / most / 86_400)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(step * place) for place in range(first, last + 1)]
