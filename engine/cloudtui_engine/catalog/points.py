"""Points on their way into the catalog: tail, chunks and summaries, all in the caller's transaction."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.catalog.base import dumps
from cloudtui_engine.catalog.chunks import (
    SIZE,
    Points,
    finite_range,
    pack_steps,
    pack_times,
    unpack_steps,
    unpack_times,
)
from cloudtui_engine.catalog.goals import goal_of
from cloudtui_engine.catalog.tally import NAN, Tally
from cloudtui_engine.records.run import Goal

MAX_SERIES = 4096
"""Series of an attempt and scope; a host that makes up more keys has their points dropped and counted."""
MAX_PIECES = 64
"""Rows of a tail before they are put together."""

Row = tuple[object, ...]
_LOAD = """
SELECT m.key, m.id, s.id, s.n, s.sealed, s.pieces, u.goal, u.n, u.last, u.last_step, u.vmin, u.vmax,
       u.best, u.best_step, u.stride, u.spark
FROM json_each(:keys) AS k
JOIN metric AS m ON m.key = k.value
LEFT JOIN series AS s ON s.run = :run AND s.attempt = :attempt AND s.scope = :scope AND s.metric = m.id
LEFT JOIN summary AS u ON u.run = :run AND u.metric = m.id
"""
_SERIES = "UPDATE series SET n = ?, sealed = ?, pieces = ? WHERE id = ?"
_SUMMARY = "INSERT OR REPLACE INTO summary VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TAIL = "INSERT INTO tail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT n, step0, stride, t0, steps, times, vals FROM"
_CHUNK = "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose points: numbers of run and attempt, and `metric` or `system`."""

    run: int
    attempt: int
    scope: str


@dataclass(slots=True)
class _Series:
    """Where a series stands, and the summary of its key."""

    metric: int
    id: int
    n: int
    sealed: int
    pieces: int
    tally: Tally


@dataclass(slots=True)
class _Packer:
    """Packs steps and times once for all the keys that share them."""

    steps: dict[tuple[int, int, int], tuple[int, int, bytes | None]] = field(default_factory=dict)
    times: dict[tuple[int, int, int], tuple[float, bytes | None]] = field(default_factory=dict)
    tops: dict[int, int] = field(default_factory=dict)

    def pack_steps(self, points: Points, start: int, stop: int) -> tuple[int, int, bytes | None]:
        at = (id(points.steps), start, stop)
        found = self.steps.get(at)
        if found is None:
            found = self.steps[at] = pack_steps(points.steps[start:stop])
        return found

    def pack_times(self, points: Points, start: int, stop: int) -> tuple[float, bytes | None]:
        at = (id(points.times), start, stop)
        found = self.times.get(at)
        if found is None:
            found = self.times[at] = pack_times(points.times[start:stop])
        return found

    def top(self, points: Points) -> int:
        at = id(points.steps)
        found = self.tops.get(at)
        if found is None:
            found = self.tops[at] = max(points.steps)
        return found


def append(
    db: sqlite3.Connection,
    place: Place,
    columns: Mapping[str, Points],
    goals: Mapping[str, Goal],
    *,
    summarise: bool = True,
) -> int:
    """Store points of one attempt.

    Args:
        db: a connection inside a transaction.
        place: whose points these are.
        columns: the points by key; arrays may be shared among keys and are not changed.
        goals: what the run declared.
        summarise: update the summaries too; False where the caller computes them anew afterwards.

    Returns:
        How many points were dropped because the attempt has too many keys.
    """
    found, dropped = _load(db, place, columns, goals)
    packer, alive = _Packer(), []
    tails: list[Row] = []
    chunks: list[Row] = []
    for key, series in found.items():
        points = columns[key]
        if summarise:
            series.tally.add(points.steps, points.values, packer.top(points))
        points = _with_tail(db, series, points)
        alive.append(points)  # the packer knows arrays by identity
        _store(series, points, packer, tails, chunks)
    db.executemany(_CHUNK, chunks)
    db.executemany(_TAIL, tails)
    db.executemany(_SERIES, [(s.n, s.sealed, s.pieces, s.id) for s in found.values()])
    if summarise:
        db.executemany(_SUMMARY, [summary_row(place.run, s.metric, s.tally) for s in found.values()])
    return dropped


def _load(
    db: sqlite3.Connection, place: Place, columns: Mapping[str, Points], goals: Mapping[str, Goal]
) -> tuple[dict[str, _Series], int]:
    """The state of every series that the points belong to; new ones are made, as far as there is room."""
    run, attempt, scope = place.run, place.attempt, place.scope
    at = {"keys": dumps(list(columns)), "run": run, "attempt": attempt, "scope": scope}
    found, missing = {}, dict.fromkeys(columns)
    for key, metric, series, n, sealed, pieces, *summary in db.execute(_LOAD, at):
        if series is not None:
            found[key] = _Series(metric, series, n, sealed, pieces, _tally(key, summary, goals))
            del missing[key]
    if not missing:
        return found, 0
    have = db.execute(
        "SELECT COUNT(*) FROM series WHERE run = ? AND attempt = ? AND scope = ?", (run, attempt, scope)
    ).fetchone()[0]
    room = max(0, MAX_SERIES - have)
    made, dropped = list(missing)[:room], list(missing)[room:]
    if made:
        db.executemany("INSERT INTO metric (key) VALUES (?) ON CONFLICT DO NOTHING", [(key,) for key in made])
        db.execute(
            "INSERT INTO series (run, attempt, scope, metric)"
            " SELECT ?, ?, ?, m.id FROM json_each(?) k JOIN metric m ON m.key = k.value ORDER BY k.key",
            (run, attempt, scope, dumps(made)),
        )
        for key, metric, series, n, sealed, pieces, *summary in db.execute(_LOAD, at | {"keys": dumps(made)}):
            found[key] = _Series(metric, series, n, sealed, pieces, _tally(key, summary, goals))
    return found, sum(len(columns[key]) for key in dropped)


def _tally(key: str, row: list[Any], goals: Mapping[str, Goal]) -> Tally:
    """The tally that a summary's row holds; a new one where there is no row."""
    goal, n, last, last_step, low, high, best, best_step, stride, spark = row
    if n is None:
        return Tally(goals.get(key) or goal_of(key))
    return Tally(
        goal,
        n,
        NAN if last is None else last,
        last_step,
        low,
        high,
        best,
        best_step,
        stride,
        array("d", spark),
    )


def summary_row(run: int, metric: int, tally: Tally) -> Row:
    """The columns of a summary's row; a NaN becomes NULL when it is bound."""
    return (
        run, metric, tally.goal, tally.n, tally.last, tally.last_step, tally.vmin, tally.vmax, tally.best,
        tally.best_step, tally.stride, tally.spark.tobytes(),
    )  # fmt: skip


def _with_tail(db: sqlite3.Connection, series: _Series, points: Points) -> Points:
    """The points, behind what the tail holds when it is time to put that together."""
    waiting = series.n - series.sealed
    if not waiting or (waiting + len(points) < SIZE and series.pieces < MAX_PIECES):
        return points
    whole = Points.empty()
    for piece in read_tail(db, series.id):
        whole.extend(piece)
    whole.extend(points)
    db.execute("DELETE FROM tail WHERE series = ?", (series.id,))
    series.n, series.pieces = series.sealed, 0
    return whole


def _store(series: _Series, points: Points, packer: _Packer, tails: list[Row], chunks: list[Row]) -> None:
    """Turn the points into full chunks and at most one row of the tail."""
    start, n = 0, len(points)
    if series.n == series.sealed:
        for start in range(0, n - SIZE + 1, SIZE):
            chunks.append(_chunk(series, points, packer, start))
            series.sealed += SIZE
            series.n += SIZE
        start = n - n % SIZE
    if start < n:
        first, stride, steps = packer.pack_steps(points, start, n)
        t0, times = packer.pack_times(points, start, n)
        tails.append(
            (series.id, series.n, n - start, first, stride, t0, steps, times, points.values[start:].tobytes())
        )
        series.n += n - start
        series.pieces += 1


def _chunk(series: _Series, points: Points, packer: _Packer, start: int) -> Row:
    stop = start + SIZE
    values = points.values[start:stop]
    first, stride, steps = packer.pack_steps(points, start, stop)
    t0, times = packer.pack_times(points, start, stop)
    last = first + stride * (SIZE - 1)
    low, high = (min(first, last), max(first, last)) if steps is None else _ends(points.steps[start:stop])
    vmin, vmax, vsum, finite = finite_range(values)
    return (
        series.id, series.sealed, SIZE, first, stride, t0, low, high, vmin, vmax, vsum, finite, steps, times,
        values.tobytes(),
    )  # fmt: skip


def _ends(steps: array[int]) -> tuple[int, int]:
    return min(steps), max(steps)


def read_tail(db: sqlite3.Connection, series: int) -> Iterable[Points]:
    """The rows of a series' tail, in order."""
    return _unpack(db.execute(f"{_SELECT} tail WHERE series = ? ORDER BY seq0", (series,)))


def read_chunks(db: sqlite3.Connection, series: int, step: int) -> Iterable[Points]:
    """The chunks of a series that hold this step and greater ones, in order."""
    return _unpack(
        db.execute(
            f"{_SELECT} chunk WHERE series = ? AND step_min <= ? AND step_max > ? ORDER BY seq0",
            (series, step, step),
        )
    )


def read_series(db: sqlite3.Connection, series: int) -> Points:
    """All points of a series, in the order they came."""
    whole = Points.empty()
    for table in ("chunk", "tail"):
        for piece in _unpack(db.execute(f"{_SELECT} {table} WHERE series = ? ORDER BY seq0", (series,))):
            whole.extend(piece)
    return whole


def _unpack(rows: sqlite3.Cursor) -> Iterable[Points]:
    for n, first, stride, t0, steps, times, values in rows:
        yield Points(unpack_steps(n, first, stride, steps), unpack_times(n, t0, times), array("d", values))
