"""The order of runs: a name, with `-` before it from great to small, as SQL. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloudtui_engine.catalog.query_terms import AGGREGATES, DURATION, Field, field_of

SORTS = {
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
"""What runs can be sorted by, besides their metrics and parameters."""


class Order(NamedTuple):
    """An order of runs."""

    name: str
    """What it is called: `-metric.validation/accuracy`."""
    sql: str
    """An expression on `r`, a row of `run`."""
    values: list[object]
    """Its parameters."""

    @property
    def descending(self) -> bool:
        """Great values come first."""
        return self.name.startswith("-")


def order_of(text: str, unquote: Callable[[str], str]) -> Order | str:
    """The order that a text names, or a sentence about why it names none.

    A metric's key with a `/` in it, or one with an aggregate behind it, needs no `metric.` before it.
    """
    sign = "-" if text.startswith("-") else ""
    name = text.removeprefix("-").strip()
    if name.lower() in SORTS:
        return Order(sign + name.lower(), SORTS[name.lower()], [])
    if _is_metric(name):
        name = f"metric.{name}"
    field = field_of(name, unquote)
    if isinstance(field, Field) and field.kind == "metric":
        key = "(SELECT id FROM metric WHERE key = ?)"
        sql = f"(SELECT u.{field.sql} FROM summary u WHERE u.run = r.seq AND u.metric = {key})"
        return Order(sign + name, sql, [field.name])
    if isinstance(field, Field) and field.kind == "param":
        sql = "(SELECT COALESCE(x.num, x.text) FROM param x WHERE x.run = r.seq AND x.key = ?)"
        return Order(sign + name, sql, [field.name])
    return f"runs cannot be sorted by {name!r} (but by {', '.join(SORTS)}, metric.KEY and param.NAME)"


def _is_metric(name: str) -> bool:
    """It is a metric's key, and nothing else that can be named here."""
    head, dot, _ = name.partition(".")
    if dot and head.lower() in {"metric", "param"}:
        return False
    return "/" in name.strip("/") or (bool(head) and name.rpartition(".")[2] in AGGREGATES and bool(dot))
