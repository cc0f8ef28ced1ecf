"""What accrued: intervals that are paid for, and what of them falls to each run."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cloudtui_engine.catalog.base import Repository, Row
from cloudtui_engine.money.accrual import DISK, MACHINE, Interval, Seen, accrue
from cloudtui_engine.money.amounts import dollars, micro
from cloudtui_engine.money.shares import FOREVER, Stay, share

TOPIC = "cost"
_INTERVAL = "what, started_ms, ended_ms, rate, ground, is_open"
_STAY = (
    "SELECT p.run, a.started_at, a.ended_at FROM placement p"
    " JOIN attempt a ON a.run = p.run AND a.number = p.attempt"
)


class Paid(NamedTuple):
    """An interval, and the machine that it is of."""

    instance_id: str
    interval: Interval


class RunCost(NamedTuple):
    """A run, and what of its machines' cost falls to it."""

    id: str
    name: str
    kind: str
    status: str
    instances: tuple[str, ...]
    started_at: float | None
    ended_at: float | None
    cost: int
    """Micro-dollars."""


class Costs(Repository):
    """The rows of `cost_interval`, and `run.cost_usd`, which follows from them."""

    def see(self, instance_id: str, seen: Seen) -> bool:
        """Keep what a moment proves of a machine; the same moment twice changes nothing.

        Joins the transaction of the change that proves it, so what the catalog says of a machine and what it
        has cost are never of two minds.

        Returns:
            Something was added.
        """
        with self._catalog.read() as db:
            if not _fresh(db, instance_id, seen):  # as it mostly is: that takes no lock
                return False
        with self._catalog.write(TOPIC) as db:
            fresh = _fresh(db, instance_id, seen)
            db.executemany(
                f"INSERT OR REPLACE INTO cost_interval (instance_id, {_INTERVAL})"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(instance_id, *_values(one)) for one in fresh],
            )
            if fresh:
                self._settle(db, instance_id, min(one.started_ms for one in fresh), FOREVER)
        return bool(fresh)

    def newest(self, instance_id: str, what: str = MACHINE) -> Interval | None:
        """The newest interval of a thing; None where nothing was ever paid for it."""
        with self._catalog.read() as db:
            return _newest(db, instance_id, what)

    def open(self) -> dict[str, int]:
        """The machines of which something is still paid for, and up to when that is accounted."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT instance_id, MIN(ended_ms) FROM cost_interval WHERE is_open = 1 GROUP BY instance_id"
            ).fetchall()
        return dict(rows)

    def is_known(self, instance_id: str) -> bool:
        """Something was ever paid for this machine."""
        with self._catalog.read() as db:
            row = db.execute("SELECT 1 FROM cost_interval WHERE instance_id = ? LIMIT 1", (instance_id,))
            return row.fetchone() is not None

    def paid(self, from_ms: int = 0, to_ms: int | None = None) -> list[Paid]:
        """All intervals that reach into a time, by machine, then in order."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT instance_id, {_INTERVAL} FROM cost_interval WHERE ended_ms > ? AND started_ms < ?"
                " ORDER BY instance_id, what, started_ms",
                (from_ms, FOREVER if to_ms is None else to_ms),
            ).fetchall()
        return [Paid(row[0], _interval(row[1:])) for row in rows]

    def spent(self, from_ms: int = 0, to_ms: int | None = None) -> int:
        """Micro-dollars that accrued in a time."""
        return sum(one.interval.cost(from_ms, to_ms) for one in self.paid(from_ms, to_ms))

    def of_instances(self) -> dict[str, int]:
        """Micro-dollars by machine, of those that anything was ever paid for."""
        found: dict[str, int] = {}
        for paid in self.paid():
            found[paid.instance_id] = found.get(paid.instance_id, 0) + paid.interval.cost()
        return found

    def disk_gb(self, launch_id: str) -> int:
        """GB of disk that a machine was ordered with; 0 where that is not known."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT json_extract(wish, '$.disk_gb') FROM launch WHERE id = ?", (launch_id,)
            ).fetchone()
        return row[0] if row is not None and isinstance(row[0], int) else 0

    def worked_until(self, instance_id: str) -> float | None:
        """When a run ended on a machine last: it was there then, whatever its link says."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT MAX(a.ended_at) FROM placement p"
                " JOIN attempt a ON a.run = p.run AND a.number = p.attempt"
                " WHERE p.instance_id = ? AND a.state IN ('succeeded', 'failed', 'stopped')",
                (instance_id,),
            ).fetchone()
        return None if row[0] is None else float(row[0])

    def runs(self, limit: int = 500) -> list[RunCost]:
        """The newest runs that have cost something."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT id, name, kind, status, instance_ids, started_at, ended_at, cost_usd FROM run"
                " WHERE cost_usd > 0 ORDER BY seq DESC LIMIT ?",
                (limit,),
            ).fetchall()
            names = dict(db.execute("SELECT id, name FROM instance").fetchall())
        return [_run_cost(row, names) for row in rows]

    def of_runs(self) -> int:
        """Micro-dollars of all runs together."""
        with self._catalog.read() as db:
            row = db.execute("SELECT COALESCE(SUM(cost_usd), 0) FROM run WHERE cost_usd > 0").fetchone()
        return micro(row[0])

    def never_made(self) -> frozenset[str]:
        """The machines that were asked for and did not come: they cost nothing, and never will."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT l.instance_id FROM launch l JOIN instance i ON i.id = l.instance_id"
                " WHERE l.state IN ('failed', 'cancelled') AND i.cloud_id = ''"
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def is_due(self) -> bool:
        """A run began or ended since its share was computed."""
        with self._catalog.read() as db:
            return db.execute("SELECT 1 FROM cost_due LIMIT 1").fetchone() is not None

    def settle(self, limit: int = 50) -> int:
        """Give runs that began or ended meanwhile their share; returns how many were looked at."""
        with self._catalog.read() as db:
            due = db.execute("SELECT run FROM cost_due ORDER BY run LIMIT ?", (limit,)).fetchall()
        if not due:
            return 0
        with self._catalog.write() as db:
            for (run,) in due:
                for instance_id, first, last in _reach(db, run):
                    self._settle(db, instance_id, first, last)
            db.executemany("DELETE FROM cost_due WHERE run = ?", due)
        return len(due)

    def _settle(self, db: sqlite3.Connection, instance_id: str, from_ms: int, to_ms: int) -> None:
        """Compute the cost of all runs that were on a machine in a time anew."""
        runs = {stay.run for stay in _stays(db, instance_id, from_ms, to_ms)}
        for run in sorted(runs):
            cost = _cost_of(db, run)
            if cost is None:
                continue
            changed = db.execute(
                "SELECT 1 FROM run WHERE seq = ? AND cost_usd IS NOT ?", (run, dollars(cost))
            ).fetchone()
            if changed:
                with self._catalog.write("run", TOPIC):
                    db.execute("UPDATE run SET cost_usd = ? WHERE seq = ?", (dollars(cost), run))


def _run_cost(row: Row, names: Mapping[str, str]) -> RunCost:
    key, name, kind, status, instances, started, ended, cost = row
    hosts = tuple(names.get(one, one) for one in instances.split())
    return RunCost(key, name, kind, status, hosts, started, ended, micro(cost))


def _fresh(db: sqlite3.Connection, instance_id: str, seen: Seen) -> list[Interval]:
    """The intervals that a moment adds or changes."""
    return [one for what in (MACHINE, DISK) for one in accrue(_newest(db, instance_id, what), what, seen)]


def _newest(db: sqlite3.Connection, instance_id: str, what: str) -> Interval | None:
    row = db.execute(
        f"SELECT {_INTERVAL} FROM cost_interval WHERE instance_id = ? AND what = ?"
        " ORDER BY started_ms DESC LIMIT 1",
        (instance_id, what),
    ).fetchone()
    return None if row is None else _interval(row)


def _interval(row: Row) -> Interval:
    what, started, ended, rate, ground, is_open = row
    return Interval(what, started, ended, rate, ground, bool(is_open))


def _values(one: Interval) -> Row:
    return one.what, one.started_ms, one.ended_ms, one.rate, one.ground, one.is_open


def _stays(db: sqlite3.Connection, instance_id: str, from_ms: int, to_ms: int) -> list[Stay]:
    """The runs on a machine in a time: each from its start to its end, both in milliseconds."""
    rows = db.execute(
        f"{_STAY} WHERE p.instance_id = ? AND a.started_at IS NOT NULL AND a.started_at < ?"
        " AND (a.ended_at IS NULL OR a.ended_at > ?)",
        (instance_id, to_ms / 1000, from_ms / 1000),
    ).fetchall()
    return list(_as_stays(rows))


def _as_stays(rows: Iterable[Row]) -> Iterable[Stay]:
    for run, started, ended in rows:
        first = math.floor(started * 1000)
        last = FOREVER if ended is None else max(first, math.floor(ended * 1000))
        yield Stay(run, first, last)


def _reach(db: sqlite3.Connection, run: int) -> list[tuple[str, int, int]]:
    """On which machines a run was, and which time its change may concern there.

    A run that has a cost already was counted while it seemed to live: others on the machine paid less then,
    until now. One without was not.
    """
    counted = db.execute("SELECT cost_usd IS NOT NULL FROM run WHERE seq = ?", (run,)).fetchone()[0]
    rows = db.execute(
        "SELECT p.instance_id, MIN(a.started_at), MAX(COALESCE(a.ended_at, 1e12)) FROM placement p"
        " JOIN attempt a ON a.run = p.run AND a.number = p.attempt WHERE p.run = ?"
        " AND a.started_at IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM cost_interval c WHERE c.instance_id = p.instance_id)"
        " GROUP BY p.instance_id",
        (run,),
    ).fetchall()
    return [
        (instance_id, math.floor(first * 1000), FOREVER if counted else math.ceil(last * 1000))
        for instance_id, first, last in rows
    ]


def _cost_of(db: sqlite3.Connection, run: int) -> int | None:
    """Micro-dollars of a run on all its machines; None where none of them had a price."""
    rows = db.execute(
        "SELECT p.instance_id, a.started_at, a.ended_at FROM placement p"
        " JOIN attempt a ON a.run = p.run AND a.number = p.attempt"
        " WHERE p.run = ? AND a.started_at IS NOT NULL",
        (run,),
    ).fetchall()
    cost: int | None = None
    for instance_id in sorted({row[0] for row in rows}):
        own = list(_as_stays((run, *row[1:]) for row in rows if row[0] == instance_id))
        first, last = min(one.started_ms for one in own), max(one.ended_ms for one in own)
        paid = [
            _interval(row)
            for row in db.execute(
                f"SELECT {_INTERVAL} FROM cost_interval WHERE instance_id = ? AND ended_ms > ?"
                " AND started_ms < ?",
                (instance_id, first, last),
            )
        ]
        if paid:
            cost = (cost or 0) + share(run, _stays(db, instance_id, first, last), paid)
    return cost
