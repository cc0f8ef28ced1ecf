"""What the watcher over a job says of its console: how long it was, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.runs.columns import is_step, number
from cloudtui_engine.runs.line_shapes import LATEST


def points_of(records: Iterable[dict[str, Any]], shift: float) -> Points:
    """The marks among records; what is none is left out.

    Args:
        records: of the kind `console`; nothing of them is taken for granted.
        shift: added to every time.
    """
    found = Points.empty()
    for record in records:
        seq, t, size = record.get("seq"), number(record.get("t")), record.get("size")
        if is_step(seq) and is_step(size) and t is not None and 0.0 <= t < LATEST:
            found.steps.append(seq)
            found.times.append(t + shift)
            found.values.append(size)
    return found
