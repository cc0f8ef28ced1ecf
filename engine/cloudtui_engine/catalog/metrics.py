"""Reading histories: only what is visible, and no more of it than asked for."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloudtui_engine.catalog.base import Repository, dumps
from cloudtui_engine.catalog.chunks import Points, steps_as_numpy, times_as_numpy, values_as_numpy
from cloudtui_engine.catalog.envelopes import Bucket, envelope
from cloudtui_engine.catalog.points import Place, append, read_series
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.catalog.tally import to_summary
from cloudtui_engine.catalog.visible import NO_LIMIT, cut, limits, recompute
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.records.run import Goal, MetricSummary, Series

_SERIES = (
    "SELECT m.key, s.attempt, s.id FROM series s JOIN metric m ON m.id = s.metric WHERE s.run = ? AND"
    " s.scope = ?{}"
    " ORDER BY m.key, s.attempt"
)
_SIZE = "bytes"
_COLUMNS = "n, step0, stride, t0, steps, times, vals"


class Metrics(Repository):
    """The rows of `summary`, `series`, `tail` and `chunk`.

    The scope is `metric` for what the job logged, `system` for samples of its machine and `console` for how
    long its console was. A step of these two is the number of the record within its attempt; the times are
    what to draw those by.
    """

    def summaries(self, run_id: str) -> dict[str, MetricSummary]:
        """The summary of every metric of a run, by key."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT m.key, u.goal, u.n, u.last, u.last_step, u.vmin, u.vmax, u.best, u.best_step,"
                " u.stride, u.spark"
                " FROM summary u JOIN metric m ON m.id = u.metric WHERE u.run = ? ORDER BY m.key",
                (run_seq(db, run_id),),
            ).fetchall()
        return {row[0]: to_summary(*row) for row in rows}

    def keys(self, run_id: str, scope: str = "metric") -> list[str]:
        """The keys that a run has points of, in order."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT DISTINCT m.key FROM series s JOIN metric m ON m.id = s.metric WHERE s.run = ?"
                " AND s.scope = ?"
                " ORDER BY m.key",
                (run_seq(db, run_id), scope),
            ).fetchall()
        return [row[0] for row in rows]

    def series(
        self, run_id: str, keys: Sequence[str] | None = None, *, scope: str = "metric", arrays: bool = False
    ) -> list[Series]:
        """The visible points of some keys or all, in step order; a key without any is left out.

        Args:
            run_id: the run.
            keys: which ones.
            scope: `metric` or `system` (attempt after attempt, each in the order of its samples).
            arrays: numpy arrays instead of lists.
        """
        with self._catalog.read() as db:
            run = run_seq(db, run_id)
            allowed = limits(db, run) if scope == "metric" else {}
            found: dict[str, list[tuple[int, int]]] = {}
            for key, attempt, series in _find(db, run, keys, scope):
                found.setdefault(key, []).append((series, allowed.get(attempt, NO_LIMIT)))
            read = _read_arrays if arrays else _read_lists
            pieces = {key: read(db, parts, scope == "metric") for key, parts in found.items()}
        return [Series(key, *columns) for key, columns in pieces.items() if len(columns[0])]

    def envelope(self, run_id: str, key: str, *, scope: str = "metric", buckets: int = 200) -> list[Bucket]:
        """Least, greatest and mean of at most `buckets` stretches of steps: what a zoomed-out chart draws.

        Where a stretch is wider than a chunk, only the headers of chunks are read.
        """
        with self._catalog.read() as db:
            run = run_seq(db, run_id)
            allowed = limits(db, run) if scope == "metric" else {}
            parts = [
                (series, allowed.get(attempt, NO_LIMIT))
                for _, attempt, series in _find(db, run, [key], scope)
            ]
            return envelope(db, parts, buckets)

    def append(
        self,
        run_id: str,
        attempt: int,
        columns: Mapping[str, Points],
        *,
        scope: str = "metric",
        first_step: int | None = None,
    ) -> int:
        """Store points of an attempt; joins the caller's transaction.

        Args:
            run_id: the run.
            attempt: the number of the attempt.
            columns: points by key.
            scope: `metric` or `system`.
            first_step: the step of the first of these points; with the very first ones of a later attempt it
            says
                from which step that one went on, unless an event did.

        Returns:
            How many points were dropped because the attempt has too many keys.
        """
        if not columns:
            return 0
        with self._catalog.write(f"metric:{run_id}") as db:
            run, newest, goals, from_step = _state(db, run_id, attempt)
            if scope != "metric":
                return append(db, Place(run, attempt, scope), columns, {}, summarise=False)
            if attempt > 1 and from_step is None:
                first = min(one.steps[0] for one in columns.values()) if first_step is None else first_step
                hide_after(db, run, attempt, first - 1, goals)
            current = attempt == newest
            dropped = append(db, Place(run, attempt, scope), columns, goals, summarise=current)
            if not current:
                # Late news of an earlier attempt: what it adds comes before what is summed up already.
                recompute(db, run, goals, list(columns))
        return dropped

    def mark_console(self, run_id: str, attempt: int, sizes: Points) -> None:
        """Store how long the console of an attempt was at which times; joins the caller's transaction."""
        if sizes:
            with self._catalog.write(f"log:{run_id}") as db:
                place = Place(run_seq(db, run_id), attempt, "console")
                append(db, place, {_SIZE: sizes}, {}, summarise=False)

    def console_marks(self, run_id: str, attempt: int) -> tuple[Sequence[float], Sequence[float]]:
        """How long the console of an attempt was, in bytes, and when; nothing where its host never said."""
        with self._catalog.read() as db:
            found = db.execute(
                "SELECT s.id FROM series s JOIN metric m ON m.id = s.metric WHERE s.run = ? AND"
                " s.attempt = ? AND s.scope = 'console' AND m.key = ?",
                (run_seq(db, run_id), attempt, _SIZE),
            ).fetchone()
            points = read_series(db, found[0]) if found else Points.empty()
        return points.values, points.times

    def declare_goals(self, run_id: str, declared: Mapping[str, Goal]) -> None:
        """The run says whether less or more of its metrics is better."""
        with self._catalog.write(f"metric:{run_id}") as db:
            run, _, goals, _ = _state(db, run_id, 1)
            changed = {key: goal for key, goal in declared.items() if goals.get(key) != goal}
            if changed:
                goals |= changed
                db.execute("UPDATE run SET goals = ? WHERE seq = ?", (dumps(goals), run))
                recompute(db, run, goals, list(changed))


def hide_after(db: sqlite3.Connection, run: int, attempt: int, step: int, goals: dict[str, Goal]) -> None:
    """Hide what attempts before this one did after a step, everywhere."""
    db.execute("UPDATE attempt SET from_step = ? WHERE run = ? AND number = ?", (step, run, attempt))
    recompute(db, run, goals)


def _state(db: sqlite3.Connection, run_id: str, attempt: int) -> tuple[int, int, dict[str, Goal], int | None]:
    row = db.execute(
        "SELECT r.seq, r.attempt, r.goals, a.from_step FROM run r LEFT JOIN attempt a ON a.run = r.seq"
        " AND a.number = ?"
        " WHERE r.id = ?",
        (attempt, run_id),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no run {run_id!r}.", "See `cloudtui run list`.")
    seq, newest, goals, from_step = row
    return seq, newest, json.loads(goals), from_step


def _find(
    db: sqlite3.Connection, run: int, keys: Sequence[str] | None, scope: str
) -> list[tuple[str, int, int]]:
    if keys is None:
        return db.execute(_SERIES.format(""), (run, scope)).fetchall()
    where = " AND m.key IN (SELECT value FROM json_each(?))"
    return db.execute(_SERIES.format(where), (run, scope, dumps(list(keys)))).fetchall()


def _read_lists(
    db: sqlite3.Connection, parts: Iterable[tuple[int, int]], ordered: bool
) -> tuple[list[int], list[float], list[float]]:
    whole = Points.empty()
    for series, limit in parts:
        whole.extend(cut(read_series(db, series), limit))
    steps, values, times = whole.steps.tolist(), whole.values.tolist(), whole.times.tolist()
    if ordered and steps != sorted(steps):
        order = sorted(range(len(steps)), key=steps.__getitem__)
        return [steps[i] for i in order], [values[i] for i in order], [times[i] for i in order]
    return steps, values, times


def _read_arrays(
    db: sqlite3.Connection, parts: Iterable[tuple[int, int]], ordered: bool
) -> tuple[Any, Any, Any]:
    import numpy as np

    columns: list[tuple[Any, Any, Any]] = [(array("q"), array("d"), array("d"))]
    for series, limit in parts:
        for table in ("chunk", "tail"):
            for n, first, stride, t0, steps, times, values in db.execute(
                f"SELECT {_COLUMNS} FROM {table} WHERE series = ? ORDER BY seq0", (series,)
            ):
                column = (
                    steps_as_numpy(n, first, stride, steps),
                    values_as_numpy(values),
                    times_as_numpy(n, t0, times),
                )
                if limit != NO_LIMIT and column[0].max() > limit:
                    kept = column[0] <= limit
                    column = (column[0][kept], column[1][kept], column[2][kept])
                columns.append(column)
    steps, values, times = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    if ordered and len(steps) > 1 and (np.diff(steps) < 0).any():
        order = np.argsort(steps, kind="stable")
        return steps[order], values[order], times[order]
    return steps, values, times
