"""What a person reads and writes about runs. The catalog alone is asked: no host need be in reach."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cloudtui import run_columns
from cloudtui.comparing import FEW, Comparison, compare_runs, usual_way, ways
from cloudtui.handlers import values
from cloudtui.handlers.logs import Log, open_log
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.records.run import RUNS, Run, Series

MOST_TAGS = 100


class Runs(list[Run]):
    """Runs, and what is to be told of each; nothing: what is told where nobody chose."""

    columns: tuple[str, ...] = ()


def list_some(
    session: Session,
    *,
    filter: str | None = None,  # noqa: A002 - the name of its option
    view: str | None = None,
    sort: str | None = None,
    columns: str | None = None,
    limit: int | None = None,
    deleted: bool = False,
    jobs: bool = False,
) -> list[Run]:
    """Runs in the order of `sort`, or else of the filter, or else of the view."""
    from cloudtui_engine.catalog import RunQuery, views

    if limit is not None and limit < 1:
        raise UsageError("--limit wants a number from 1.")
    told = run_columns.columns(run_columns.named(columns or ""))
    found = Runs(
        session.catalog.runs.list(
            RunQuery(
                filter=views.narrowed(session.catalog, filter or "", view or "", sort or ""),
                sort=sort or "-created",
                limit=limit,
                deleted=deleted,
                details=True,
                kinds=None if jobs else RUNS,
            )
        )
    )
    of_view = run_columns.usable(views.find(session.catalog, view).columns) if view else ()
    found.columns = tuple(one.id for one in told) or of_view
    return found


def show(session: Session, run: str) -> Run:
    """One run with all that is kept about it."""
    return session.catalog.runs.find(run)


def metrics(
    session: Session, run: str, key: Sequence[str] | None = None, system: bool = False
) -> list[Series]:
    """The visible points of its series."""
    found = session.catalog.runs.find(run)
    scope = "system" if system else "metric"
    return list(session.catalog.metrics.series(found.id, list(key) if key else None, scope=scope))


def logs(
    session: Session, run: str, follow: bool = False, tail: int | None = None, attempt: int | None = None
) -> Log:
    """Its console log, to be read in lines."""
    if tail is not None and tail < 0:
        raise UsageError("--tail wants a number from 0.")
    return open_log(session, session.catalog.runs.find(run), follow=follow, tail=tail, attempt=attempt)


def compare(
    session: Session, runs: Sequence[str], baseline: str | None = None, by: str | None = None
) -> Comparison:
    """Settings and results side by side; more than a few in groups."""
    found = tuple({run.id: run for run in (session.catalog.runs.find(text) for text in runs)}.values())
    if len(found) < 2:
        raise UsageError(
            "Comparing takes at least two runs.", "Name two or more: cloudtui run list shows them."
        )
    comparison = compare_runs(found)
    first = session.catalog.runs.find(baseline).id if baseline else found[0].id
    places = [place for place, run in enumerate(found) if run.id == first]
    if not places:
        raise UsageError(f"{baseline} is not among the runs that are compared.", "Name it with them, too.")
    if by and by not in ways(comparison):
        known = ", ".join(ways(comparison))
        raise UsageError(f"The runs do not differ in {by!r}.", f"They can be grouped by: {known}.")
    way = by or (usual_way(comparison) if len(found) > FEW else "")
    return replace(comparison, baseline=places[0], way=way)


def tag(session: Session, run: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Run:
    """Add tags and take some away."""
    add, remove = tuple(add or ()), tuple(remove or ())
    if not add and not remove:
        raise UsageError(
            "There is no tag to add or to take away.", "cloudtui run tag RUN TAG, or --remove TAG"
        )
    found = session.catalog.runs.find(run)
    if len(set(found.tags) | set(add)) > MOST_TAGS:
        raise RefusedError(f"A run carries at most {MOST_TAGS} tags.", "Take some away with --remove.")
    checked = [values.new_name(text, "a tag") for text in add]
    session.catalog.runs.tag(found.id, add=checked, remove=remove)
    return session.catalog.runs.get(found.id)


def note(session: Session, run: str, text: str) -> Run:
    """Write a note."""
    found = session.catalog.runs.find(run)
    session.catalog.runs.set_note(found.id, text)
    return session.catalog.runs.get(found.id)


def rename(session: Session, run: str, name: str) -> Run:
    """Give another name."""
    found = session.catalog.runs.find(run)
    if name != found.name:
        session.catalog.runs.rename(found.id, values.free_run_name(session, name) or found.name)
    return session.catalog.runs.get(found.id)


def delete(session: Session, run: str) -> Run:
    """Move a run that is over to the trash."""
    found = session.catalog.runs.find(run)
    if not found.status.is_finished:
        raise RefusedError(
            f"{found.name} is {found.status}.", f"Stop it first: cloudtui run stop {found.id}", code="live"
        )
    if found.deleted_at is None:
        session.catalog.runs.delete(found.id, time.time())
    return session.catalog.runs.get(found.id)


def restore(session: Session, run: str) -> Run:
    """Take a run out of the trash."""
    found = session.catalog.runs.find(run)
    session.catalog.runs.restore(found.id)
    return session.catalog.runs.get(found.id)


def reports(session: Session, run: Run) -> Mapping[str, Any]:
    """What the run reported at its end, by name."""
    return session.catalog.runs.reports(run.id)
