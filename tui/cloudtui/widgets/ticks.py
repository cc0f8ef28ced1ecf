"""Where an axis is marked, and how a number is written beside it."""

from __future__ import annotations

import math

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`, at most `most` of them, evenly spaced."""
    span = high - low
    if most < 1 or not math.isfinite(span) or span <= 0:
        return []
    rough = span / most
    magnitude = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 1e-300
    for factor in _STEPS:
        step = factor * magnitude
        first = math.ceil(low / step - 1e-9)
        count = math.floor(high / step + 1e-9) - first + 1
        if count <= most:
            return [(first + i) * step + 0.0 for i in range(max(count, 0))]
    return []


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten (as exponents) between two exponents; every so many when there are more than `most`."""
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    count = last - first + 1
    if count <= 2:
        for factors in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5)):
            marks = [power + math.log10(factor) for power in range(first - 1, last + 1) for factor in factors]
            marks = [mark for mark in marks if low - 1e-9 <= mark <= high + 1e-9]
            if count + 1 < len(marks) <= max(most, 3):
                return marks
    if count < 2:
        return ticks(low, high, most)
    stride = max(1, math.ceil(count / max(1, most)))
    return [float(exponent) for exponent in range(first, last + 1, stride)]


def short(value: float, digits: int = 4) -> str:
    """A number in at most about seven characters: `0.2410`, `12.5k`, `3.1e-09`, `–` for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if size and (size < 1e-4 or size >= 1e15):
        return f"{value:.{max(0, digits - 3)}e}"
    for unit, letter in _UNITS:
        if size >= unit * (10 if letter == "k" else 1):
            return _trim(f"{value / unit:.{max(0, digits - 2)}f}") + letter
    if value == int(value):
        return f"{int(value)}"
    decimals = digits - 1 if size >= 1 else digits
    decimals -= min(decimals, len(str(int(size))) - 1)
    return f"{value:.{decimals}f}"


def axis_label(value: float, step: float) -> str:
    """A tick as short as the distance to its neighbour allows."""
    size = abs(value)
    if size and (max(size, step) < 1e-3 or size >= 1e15):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+", "e").replace("e0", "e")
    for unit, letter in _UNITS:
        if size >= unit:
            decimals = max(0, math.ceil(-math.log10(step / unit) - 1e-9)) if step > 0 else 0
            return _trim(f"{value / unit:.{min(decimals, 3)}f}") + letter
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9)) if step > 0 else 0
    return f"{value:.{min(decimals, 4)}f}"


def _trim(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
