"""What is listed of the money: machines, runs or days, a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudtui import format as fmt
from cloudtui.areas.runs.rows import TONES
from cloudtui.widgets.table import Cell, Column
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.records.run import RunState
from cloudtui_engine.sanitize import clean_line
from cloudtui_engine.statement import DayCost, InstanceCost, Statement

VIEWS = ("instance", "run", "day")
TITLES = {"instance": "Machines", "run": "Runs", "day": "Days"}
IDLE = "idle"
"""The line of what no run used."""
_GROUNDS = {
    "yours": "you", "offered": "its offer", "at_launch": "at launch", "refreshed": "the cloud",
    "bundled": "snapshot",
}  # fmt: skip
_OLD_S = 120.0
"""A running machine that is not accounted for since then is not watched."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, and the statement that it stands in."""

    id: str
    name: str
    view: str
    what: Any
    """An `InstanceCost`, a `RunCost`, a `DayCost`; None for what no run used."""
    statement: Statement


def entries(told: Statement, view: str) -> list[Entry]:
    """The lines of a view."""
    listed: Sequence[Any] = {"instance": told.instances, "run": told.runs, "day": told.days}[view]
    found = [Entry(one.id, clean_line(one.name, 80), view, one, told) for one in listed]
    if view == "run" and told.runs:
        found.append(Entry(IDLE, "nothing ran", view, None, told))
    return found


def usd(amount: int | None) -> str:
    """Micro-dollars with two decimals."""
    return fmt.money(None if amount is None else dollars(amount))


def some(amount: int, style: str = "") -> Cell:
    """An amount; a line where there is none."""
    return (usd(amount), style) if amount else (fmt.MISSING, "muted")


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "instance": (
        Column("Machine", 12, share=2),
        Column("$/h", 7, "right"),
        Column("Price by", 10, share=1, rank=4),
        Column("Today", 8, "right", rank=2),
        Column("Month", 9, "right", rank=1),
        Column("In all", 9, "right"),
        Column("Estimated", 9, "right", rank=5),
        Column("Until", 5, "right", rank=3),
    ),
    "run": (
        Column("Run", 16, share=2),
        Column("Status", 12, rank=1),
        Column("On", 10, share=1, rank=2),
        Column("Took", 9, "right", rank=4),
        Column("Began", 5, "right", rank=3),
        Column("Cost", 9, "right"),
    ),
    "day": (
        Column("Day", 10),
        Column("", 8, share=1, rank=3),
        Column("Machines", 8, "right", rank=2),
        Column("Estimated", 9, "right", rank=1),
        Column("Cost", 9, "right"),
    ),
}
BAR = 20


def cells(entry: Entry, now: float) -> tuple[Cell, ...]:
    """A line's cells, in the order of its view's columns."""
    return _CELLS[entry.view](entry, now)


def _instance(entry: Entry, now: float) -> tuple[Cell, ...]:
    one: InstanceCost = entry.what
    forgotten = " (forgotten)" if one.instance.forgotten_at is not None else ""
    old = one.rate and one.until_ms is not None and now - one.until_ms / 1000 > _OLD_S
    return (
        (entry.name + forgotten, ""),
        some(one.rate),
        (_GROUNDS.get(one.ground, fmt.MISSING), "muted"),
        some(one.today),
        some(one.month),
        some(one.total),
        some(one.estimated, "muted"),
        (_since(one.until_ms, now), "warn" if old else "muted"),
    )


def _since(at_ms: int | None, now: float) -> str:
    return fmt.since(None if at_ms is None else at_ms / 1000, now)


def _run(entry: Entry, now: float) -> tuple[Cell, ...]:
    one = entry.what
    if one is None:
        nothing: Cell = (fmt.MISSING, "muted")
        return (entry.name, "muted"), nothing, nothing, nothing, nothing, (usd(entry.statement.idle), "muted")
    mark = fmt.RUN_MARKS[RunState(one.status)]
    took = None if one.started_at is None else (one.ended_at or now) - one.started_at
    return (
        (entry.name, ""),
        (str(mark), TONES[mark.tone]),
        (clean_line(", ".join(one.instances), 80) or fmt.MISSING, "muted"),
        (fmt.duration(took), "muted"),
        (fmt.since(one.started_at, now), "muted"),
        (usd(one.cost), ""),
    )


def _day(entry: Entry, now: float) -> tuple[Cell, ...]:  # noqa: ARG001 - as the others
    one: DayCost = entry.what
    most = max(day.cost for day in entry.statement.days)
    bar = "▇" * max(1, round(BAR * one.cost / most)) if one.cost else ""
    return (
        (f"{one.day:%a %d %b}", ""),
        (bar, "accent"),
        (str(one.machines) if one.machines else fmt.MISSING, "muted"),
        some(one.estimated, "muted"),
        some(one.cost),
    )


_CELLS: Mapping[str, Callable[[Entry, float], tuple[Cell, ...]]] = {
    "instance": _instance,
    "run": _run,
    "day": _day,
}
