"""Windows of the list of runs: one that lies far down costs the database a walk, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudtui.areas.parts import Listing, Request
from cloudtui.areas.runs.rows import LIST_METRICS
from cloudtui.widgets.table import WINDOW
from cloudtui_engine.records.run import Run

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

FIRST = 60
"""Rows that are read for the first screen; more come when somebody goes there."""


def listing(catalog: Catalog, request: Request) -> Listing:
    """The window of runs that holds the row `request.first`."""
    from cloudtui_engine.catalog import views
    from cloudtui_engine.catalog.runs import RunQuery

    query = RunQuery(request.filter, request.sort, deleted=request.trash)
    total = catalog.runs.count(query)
    # Of the kinds that are listed here: an evaluation that is under way is in its own area.
    live = 0 if request.trash else catalog.runs.count(RunQuery(filter="status:live"))
    base, size = 0, FIRST
    if request.first >= FIRST // 2:
        base, size = max(0, min(request.first, total - 1) - WINDOW // 2), WINDOW
    runs: Sequence[Run] = catalog.runs.list(replace(query, limit=size, skip=base, metrics=LIST_METRICS))
    read_at = time.time()
    view = views.called(catalog, request.filter, request.sort)
    note = f"{live} live" if live else ""
    return Listing([ticking(run, read_at) for run in runs], base, total, note, view)


def ticking(run: Run, read_at: float) -> Run:
    """A live run whose time goes on between reads: its duration, known for `read_at`, as a start."""
    if run.status.is_finished or run.duration_s is None:
        return run
    return replace(run, started_at=read_at - run.duration_s, duration_s=None)


def live(runs: Sequence[Run]) -> list[Run]:
    """Those that are not over."""
    return [run for run in runs if not run.status.is_finished]
