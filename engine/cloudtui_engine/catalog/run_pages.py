"""Which runs, in which order, from where on: a query as SQL. Pages go on after a run, so they never shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui_engine.catalog.base import marks
from cloudtui_engine.catalog.query import Filter, compile_filter
from cloudtui_engine.catalog.query_tokens import unquote
from cloudtui_engine.catalog.run_order import SORTS, Order, order_of
from cloudtui_engine.catalog.run_rows import select
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.run import RUNS, Run


@dataclass(frozen=True, slots=True)
class RunQuery:
    """What to list."""

    filter: str = ""
    """The language of `catalog/query.py`."""
    sort: str = "-created"
    """See `catalog/run_order.py`; an order in the filter comes before this one. Runs without a value come
    last."""
    limit: int | None = None
    offset_key: tuple[str, ...] | None = None
    """Where the last page ended: `RunQuery.after(run)`."""
    skip: int = 0
    """How many of them are passed over before the first; the database walks over those, so few pages do."""
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
    wanted = compile_filter(query.filter)
    where, values = _where(query, wanted)
    order = _order(wanted.order or query.sort)
    value, arguments = order.sql, order.values
    if query.offset_key:
        condition, more = _behind(order, query.offset_key[0])
        where, values = f"{where} AND {condition}", values + more
    # Where nothing can be missing, an index gives the order.
    last = "" if value == "r.created_at" else f"({value}) IS NULL, "
    ordered = f"{last}{value} {'DESC' if order.descending else 'ASC'}, r.seq DESC"
    values += (arguments if last else []) + arguments
    limit = "" if query.limit is None and not query.skip else " LIMIT ? OFFSET ?"
    values += [-1 if query.limit is None else query.limit, query.skip] if limit else []
    return select(f"WHERE {where} ORDER BY {ordered}{limit}"), values


def select_count(query: RunQuery) -> tuple[str, list[object]]:
    """How many there are on all pages."""
    where, values = _where(query, compile_filter(query.filter))
    return f"SELECT COUNT(*) FROM run AS r WHERE {where}", values


def _where(query: RunQuery, wanted: Filter) -> tuple[str, list[object]]:
    where, values = f"r.deleted_at IS {'NOT ' if query.deleted else ''}NULL AND {wanted.sql}", wanted.values
    if query.kinds is None:
        return where, list(values)
    # `+` keeps the order on its own index: nearly every run is of the kinds that are listed.
    return f"+r.kind IN ({marks(query.kinds)}) AND {where}", [*query.kinds, *values]


def _order(text: str) -> Order:
    found = order_of(text, unquote)
    if isinstance(found, str):
        name = text.removeprefix("-").strip()
        hint = f"Sort by one of {', '.join(SORTS)}, metric.KEY or param.NAME."
        raise UsageError(f"Runs cannot be sorted by {name!r}.", hint, code="sort")
    return found


def _behind(order: Order, run_id: str) -> tuple[str, list[object]]:
    """What comes after a run in this order."""
    value, arguments = order.sql, order.values
    at = f"(SELECT {value} FROM run AS r WHERE r.id = ?)"
    at_values = [*arguments, run_id]
    seq, sign = "(SELECT seq FROM run WHERE id = ?)", "<" if order.descending else ">"
    sql = (
        f"CASE WHEN {at} IS NULL THEN ({value}) IS NULL AND r.seq < {seq}"
        f" ELSE COALESCE({value} {sign} {at} OR ({value} = {at} AND r.seq < {seq}), 1) END"
    )
    values = [
        *at_values, *arguments, run_id,
        *arguments, *at_values, *arguments, *at_values, run_id,
    ]  # fmt: skip
    return sql, values
