"""The series of compared runs as lines of a chart; many as a mean within a band. Brings numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui.areas.compare.compared import Compared
from cloudtui.widgets.chart import Plot
from cloudtui_engine.records.run import Series
from cloudtui_engine.sanitize import clean_line

Floats = npt.NDArray[np.float64]
GRID = 4000
"""Places along the steps at which a mean is taken: more than a screen has columns, so it may be zoomed."""


def lines(compared: Compared, series: Sequence[Series | None]) -> list[Plot]:
    """A line a run, or a group, in the order of `compared.drawn`; one without points keeps its place."""
    if not compared.groups:
        return [_line(clean_line(compared.found.runs[at].name, 40), series[at]) for at in compared.drawn]
    plots = []
    for index in compared.drawn:
        group = compared.groups[index]
        found = [one for place in group.places if (one := series[place]) is not None]
        plots.append(Plot(clean_line(group.label, 40), *band([(one.steps, one.values) for one in found])))
    return plots


def band(parts: Sequence[tuple[Any, Any]]) -> tuple[Floats, Floats]:
    """Mean and deviation of several curves as one line that a chart smooths over a dim envelope.

    At each place along the steps the line goes mean, low, high, mean: its envelope is the band, its average
    the mean, and what is read at a step is the mean as well. A run counts from its first to its last point.
    Where all runs are above zero the band is, too: a logarithm of it is one where theirs are.
    """
    curves = [curve for part in parts if len((curve := _finite(*part))[0])]
    if not curves:
        return np.empty(0), np.empty(0)
    low, high = min(x[0] for x, _ in curves), max(x[-1] for x, _ in curves)
    grid = np.linspace(low, high, GRID if high > low else 1)
    values = np.full((len(curves), len(grid)), np.nan)
    for row, (x, y) in zip(values, curves, strict=True):
        inside = (grid >= x[0]) & (grid <= x[-1])
        row[inside] = np.interp(grid[inside], x, y)
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    covered = count > 0
    grid, values, there, count = grid[covered], values[:, covered], there[:, covered], count[covered]
    mean = np.where(there, values, 0.0).sum(axis=0) / count
    spread = np.where(there, (values - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count - 1, 1)
    deviation = np.sqrt(spread)
    least = np.nanmin(values, axis=0)
    below = np.where((least > 0) & (mean <= deviation), least, mean - deviation)
    return np.repeat(grid, 4), np.stack([mean, below, mean + deviation, mean], axis=1).ravel()


def _line(label: str, series: Series | None) -> Plot:
    return Plot(label, series.steps, series.values) if series is not None else Plot(label, (), ())


def _finite(steps: Any, values: Any) -> tuple[Floats, Floats]:
    x, y = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    good = np.isfinite(y) & (np.abs(y) < 1e150)  # what is squared below must stay a number
    return x[good], y[good]
