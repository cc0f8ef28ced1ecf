"""Windows of the list of runs: one that lies far down costs the database a walk, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cloudtui import format as fmt
from cloudtui import run_columns
from cloudtui.areas.parts import Listing, Request
from cloudtui.run_columns import RunColumn
from cloudtui.widgets.table import WINDOW
from cloudtui_engine.records.run import Run
from cloudtui_engine.records.view import VIEWS

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

FIRST = 60
"""Rows that are read for the first screen; more come when somebody goes there."""


class Shown(NamedTuple):
    """What is told of each run."""

    columns: tuple[RunColumn, ...]
    of_view: bool = False
    """They are those of the view that is listed."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.id for one in self.columns)


def shown(catalog: Catalog, view: str) -> Shown:
    """The columns of this view, where it has some, else those that were chosen for all runs."""
    own: Sequence[str] = ()
    if view:
        from cloudtui_engine.catalog import views

        own = run_columns.usable(views.find(catalog, view).columns)
    ids = own or run_columns.kept(catalog.settings.get(run_columns.KEY))
    return Shown(tuple(run_columns.columns(ids)), bool(own))


def listing(catalog: Catalog, request: Request) -> Listing:
    """The window of runs that holds the row `request.first`."""
    from cloudtui_engine.catalog.runs import RunQuery

    query = RunQuery(request.filter, request.sort, deleted=request.trash)
    total = catalog.runs.count(query)
    # Of the kinds that are listed here: an evaluation that is under way is in its own area.
    live = 0 if request.trash else catalog.runs.count(RunQuery(filter="status:live"))
    base, size = 0, FIRST
    if request.first >= FIRST // 2:
        base, size = max(0, min(request.first, total - 1) - WINDOW // 2), WINDOW
    view = _called(catalog, request)
    told = shown(catalog, view)
    metrics = tuple(dict.fromkeys(key for one in told.columns for key in one.metrics))
    runs: Sequence[Run] = catalog.runs.list(replace(query, limit=size, skip=base, metrics=metrics))
    read_at = time.time()
    note = f"{live} live" if live else ""
    return Listing([ticking(run, read_at) for run in runs], base, total, note, view, extra=told)


def _called(catalog: Catalog, request: Request) -> str:
    """The saved view that this is; where there is none, its language is not read before the first paint."""
    if not catalog.settings.get(VIEWS):
        return ""
    from cloudtui_engine.catalog import views

    return views.called(catalog, request.filter, request.sort)


def ticking(run: Run, read_at: float) -> Run:
    """A live run whose time goes on between reads: its duration, known for `read_at`, as a start."""
    if run.status.is_finished or run.duration_s is None:
        return run
    return replace(run, started_at=read_at - run.duration_s, duration_s=None)


def confirmed(runs: Sequence[Run], now: float) -> tuple[str, str]:
    """How many live ones no link confirms, and since when the oldest of them; nothing where all are."""
    stale = [run.stale_since for run in live(runs) if run.stale_since]
    if stale:
        return f"{len(stale)} stale, oldest {fmt.since(min(stale), now)}", "warn"
    return "", "muted"


def live(runs: Sequence[Run]) -> list[Run]:
    """Those that are not over."""
    return [run for run in runs if not run.status.is_finished]
