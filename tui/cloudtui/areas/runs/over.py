"""Over what a run's curves are drawn: steps, time since its first point, or epochs that it logged. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cloudtui.widgets.axes import Axis
from cloudtui_engine.records.run import Series


def epochs_of(series: Sequence[Series]) -> Series | None:
    """The metric that says in which epoch a step was, if the run logs one and it never falls."""
    for one in series:
        if one.key.rsplit("/", 1)[-1] == "epoch" and len(one.values):
            values = np.asarray(one.values)
            if np.isfinite(values).all() and (np.diff(values) >= 0).all():
                return one
    return None


def axes_of(series: Sequence[Series]) -> tuple[Axis, ...]:
    """The axes that a run has."""
    return ("step", "time") if epochs_of(series) is None else ("step", "time", "epoch")


def places(series: Sequence[Series], axis: Axis) -> dict[str, Any]:
    """Where on the axis the points of each key lie.

    Between two steps with an epoch the epochs are spread evenly; before the first and after the last of them
    nothing is known, and the nearest stands.
    """
    if axis == "time":
        start = min((float(one.times[0]) for one in series if len(one.times)), default=0.0)
        return {one.key: np.asarray(one.times) - start for one in series}
    epochs = epochs_of(series)
    if axis == "epoch" and epochs is not None:
        return {one.key: np.interp(one.steps, epochs.steps, epochs.values) for one in series}
    return {one.key: one.steps for one in series}
