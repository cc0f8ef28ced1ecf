"""A moving average that forgets with the distance: right on uneven steps, one pass over the points."""

from __future__ import annotations

import math

import numpy as np

from cloudtui.widgets import raster

STRENGTHS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Half lives that one can choose, as shares of the x axis of the whole series."""
USUAL = 2
"""Which of them is used where nothing else was asked for."""
_REACH = 200.0
"""Time constants that one block of weights spans: exp(200) is a float with much room above it."""


def ema(line: raster.Line, half_life: float) -> raster.Line:
    """The exponential moving average of a line, with bias correction.

    Each point is the mean of itself and all before it, where a point `half_life` back on the x axis weighs
    half. So the first one is itself, even steps give the usual average, and a gap in x forgets as it should.
    """
    if len(line) < 2 or not half_life > 0:
        return line
    scale = half_life / math.log(2)
    mean = np.empty(len(line))
    start, total, weight = 0, 0.0, 0.0  # the sums of all before `start`, as they weigh at its x
    while start < len(line):
        since = (line.x[start:] if start else line.x) - line.x[start]
        stop = start + int(np.searchsorted(since, _REACH * scale, "right"))
        grown = np.exp(since[: stop - start] / scale)
        with np.errstate(over="ignore", invalid="ignore"):
            totals = total + np.cumsum(grown * line.y[start:stop])
        weights = weight + np.cumsum(grown)
        mean[start:stop] = totals / weights
        if stop < len(line):
            shrink = float(np.exp(-min(700.0, (line.x[stop] - line.x[start]) / scale)))
            total, weight = float(totals[-1]) * shrink, float(weights[-1]) * shrink
        start = stop
    # What overflowed is drawn as it is, not as a gap.
    mean = np.where(np.isfinite(mean), mean, line.y)
    return raster.Line(line.x, mean, line.joined)


def smoothed(line: raster.Line, strength: int) -> raster.Line:
    """The line at one of the strengths."""
    if len(line) < 2:
        return line
    return ema(line, STRENGTHS[strength] * float(line.x[-1] - line.x[0]))
