"""The points of runs as CSV, one line a point."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from cloudtui.format import rfc3339
from cloudtui_engine.records.run import Series

HEADS = ("run", "key", "step", "time", "value")


def csv_of(runs: Iterable[tuple[str, Sequence[Series]]]) -> str:
    """All points of (name, series): `run,key,step,time,value`; what is no number is nan, inf or -inf."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEADS)
    for name, found in runs:
        for one in found:
            for step, t, value in zip(one.steps, one.times, one.values, strict=True):
                lines.writerow((name, one.key, step, rfc3339(t) or "", _number(value)))
    return text.getvalue()


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else str(float(value))
