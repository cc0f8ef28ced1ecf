"""Which points count: an attempt that resumed hides what earlier ones did after its checkpoint."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Collection

from cloudtui_engine.catalog.base import dumps
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.catalog.goals import goal_of
from cloudtui_engine.catalog.points import read_series, summary_row
from cloudtui_engine.catalog.tally import Tally
from cloudtui_engine.records.run import Goal

NO_LIMIT = 1 << 62


def limits(db: sqlite3.Connection, run: int) -> dict[int, int]:
    """The last step that counts, by attempt: the least that any later attempt went on from."""
    least, found = NO_LIMIT, {}
    rows = db.execute("SELECT number, from_step FROM attempt WHERE run = ? ORDER BY number DESC", (run,))
    for number, from_step in rows.fetchall():
        found[number] = least
        if from_step is not None:
            least = min(least, from_step)
    return found


def cut(points: Points, limit: int) -> Points:
    """The points up to a step."""
    if not points or max(points.steps) <= limit:
        return points
    kept = [i for i, step in enumerate(points.steps) if step <= limit]
    return Points(
        array("q", [points.steps[i] for i in kept]),
        array("d", [points.times[i] for i in kept]),
        array("d", [points.values[i] for i in kept]),
    )


def recompute(
    db: sqlite3.Connection, run: int, goals: dict[str, Goal], keys: Collection[str] | None = None
) -> None:
    """Make the summaries of a run (of some keys, or all) anew from its points."""
    where = "" if keys is None else " AND m.key IN (SELECT value FROM json_each(?))"
    rows = db.execute(
        "SELECT s.metric, m.key, s.attempt, s.id FROM series s JOIN metric m ON m.id = s.metric"
        f" WHERE s.run = ? AND s.scope = 'metric'{where} ORDER BY s.attempt",
        (run,) if keys is None else (run, dumps(list(keys))),
    ).fetchall()
    allowed = limits(db, run)
    tallies: dict[int, Tally] = {}
    for metric, key, attempt, series in rows:
        tally = tallies.setdefault(metric, Tally(goals.get(key) or goal_of(key)))
        points = cut(read_series(db, series), allowed.get(attempt, NO_LIMIT))
        if points:
            tally.add(points.steps, points.values, max(points.steps))
    db.executemany("DELETE FROM summary WHERE run = ? AND metric = ?", [(run, metric) for metric in tallies])
    db.executemany(
        "INSERT INTO summary VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [summary_row(run, metric, tally) for metric, tally in tallies.items() if tally.n],
    )
