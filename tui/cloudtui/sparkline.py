"""A series in a few cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """At most `width` bars from the lowest to the highest finite value; what is not finite is a blank."""
    values = _fewer(values, width)
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    span = high / 2 - low / 2  # halves: the difference of two large values must not overflow
    bars = []
    for value in values:
        if not math.isfinite(value):
            bars.append(" ")
        elif span <= 0:
            bars.append(BARS[3])
        else:
            bars.append(BARS[min(7, int((value / 2 - low / 2) / span * 8))])
    return "".join(bars)


def _fewer(values: Sequence[float], width: int) -> list[float]:
    """Means of equal parts; the last value always ends the last part."""
    count = len(values)
    if count <= width:
        return list(values)
    result = []
    for index in range(width):
        part = values[index * count // width : (index + 1) * count // width]
        finite = [value for value in part if math.isfinite(value)]
        result.append(math.fsum(value / len(finite) for value in finite) if finite else math.nan)
    return result
