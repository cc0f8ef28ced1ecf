"""Which runs, in which order, from where on: a query as SQL. Pages go on after a run, so they never shift."""

# ruff: noqa: S608 - what is put into statements are names of this package; every value is a parameter
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui_engine.catalog.base import marks
from cloudtui_engine.catalog.query import compile_filter, unquote
from cloudtui_engine.catalog.query_terms import DURATION, Field, field_of
from cloudtui_engine.catalog.run_rows import select
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.run import RUNS, Run

_SORTS = {
    "created": "r.created_at",
    "started": "r.started_at",
    "ended": "r.ended_at",
    "name": "r.name COLLATE NOCASE",
    "status": "r.status",
    "duration": DURATION,
    "cost": "r.cost_usd",
    "attempt": "r.attempt",
    "id": "r.id",
    "dataset": "(SELECT d.name FROM dataset d WHERE d.id = r.dataset_id) COLLATE NOCASE",
    "model": "r.model COLLATE NOCASE",
    "task": "r.task",
}


@dataclass(frozen=True, slots=True)
class RunQuery:
    """What to list."""

    filter: str = ""
    """The language of `catalog/query.py`."""
    sort: str = "-created"
    """`created, started, ended, name, status, duration, cost, attempt, dataset, model, task, id, metric.KEY,
    param.NAME`; with `-` from great to small. Runs without a value come last."""
    limit: int | None = None
    offset_key: tuple[str, ...] | None = None
    """Where the last page ended: `RunQuery.after(run)`."""
    deleted: bool = False
    """The trash instead of the rest."""
    metrics: bool | Sequence[str] = True
    """All summaries, none, or those of some keys."""
    details: bool = False
    """Specs and artifacts too."""
    kinds: Sequence[str] | None = RUNS
    """Only those; None: all, the jobs on models too."""

    @staticmethod
    def after(run: Run) -> tuple[str, ...]:
        """The `offset_key` of the page that goes on behind this run."""
        return (run.id,)


def select_page(query: RunQuery) -> tuple[str, list[object]]:
    """The rows of a page.

    Raises:
        UsageError: filter or sort cannot be read.
    """
    where, values = _where(query)
    value, arguments, descending = _sort(query.sort)
    if query.offset_key:
        condition, more = _behind(value, arguments, descending, query.offset_key[0])
        where, values = f"{where} AND {condition}", values + more
    # Where nothing can be missing, an index gives the order.
    last = "" if value == "r.created_at" else f"({value}) IS NULL, "
    order = f"{last}{value} {'DESC' if descending else 'ASC'}, r.seq DESC"
    values += (arguments if last else []) + arguments
    limit = "" if query.limit is None else " LIMIT ?"
    values += [] if query.limit is None else [query.limit]
    return select(f"WHERE {where} ORDER BY {order}{limit}"), values


def select_count(query: RunQuery) -> tuple[str, list[object]]:
    """How many there are on all pages."""
    where, values = _where(query)
    return f"SELECT COUNT(*) FROM run AS r WHERE {where}", values


def _where(query: RunQuery) -> tuple[str, list[object]]:
    sql, values = compile_filter(query.filter)
    where = f"r.deleted_at IS {'NOT ' if query.deleted else ''}NULL AND {sql}"
    if query.kinds is None:
        return where, list(values)
    # `+` keeps the order on its own index: nearly every run is of the kinds that are listed.
    return f"+r.kind IN ({marks(query.kinds)}) AND {where}", [*query.kinds, *values]


def _sort(text: str) -> tuple[str, list[object], bool]:
    """An expression on `r`, its arguments, and whether great values come first."""
    descending = text.startswith("-")
    name = text.removeprefix("-").strip()
    if name.lower() in _SORTS:
        return _SORTS[name.lower()], [], descending
    field = field_of(name, unquote)
    if isinstance(field, Field) and field.kind == "metric":
        key = "(SELECT id FROM metric WHERE key = ?)"
        sql = f"(SELECT u.{field.sql} FROM summary u WHERE u.run = r.seq AND u.metric = {key})"
        return sql, [field.name], descending
    if isinstance(field, Field) and field.kind == "param":
        return (
            "(SELECT COALESCE(x.num, x.text) FROM param x WHERE x.run = r.seq AND x.key = ?)",
            [field.name],
            descending,
        )
    raise UsageError(
        f"Runs cannot be sorted by {name!r}.",
        f"Sort by one of {', '.join(_SORTS)}, metric.KEY or param.NAME.",
        code="sort",
    )


def _behind(value: str, arguments: list[object], descending: bool, run_id: str) -> tuple[str, list[object]]:
    """What comes after a run in this order."""
    at = f"(SELECT {value} FROM run AS r WHERE r.id = ?)"
    at_values = [*arguments, run_id]
    seq, sign = "(SELECT seq FROM run WHERE id = ?)", "<" if descending else ">"
    sql = (
        f"CASE WHEN {at} IS NULL THEN ({value}) IS NULL AND r.seq < {seq}"
        f" ELSE COALESCE({value} {sign} {at} OR ({value} = {at} AND r.seq < {seq}), 1) END"
    )
    values = [
        *at_values, *arguments, run_id,
        *arguments, *at_values, *arguments, *at_values, run_id,
    ]  # fmt: skip
    return sql, values
