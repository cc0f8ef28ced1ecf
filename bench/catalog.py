"""The catalog beside plain sqlite3 rows, and beside other trackers where they are installed.

The floor is sqlite3 with WAL, synchronous=NORMAL, rows (run, metric, step, t, value) WITHOUT ROWID and
transactions of 1,000 rows: the points are there already, nothing is parsed, nothing is summed up.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from bench._report import cpu, figure, ratio
from bench._trackers import trackers
from cloudtui_engine.catalog import Catalog, RunQuery
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs.ingest import Ingest
from cloudtui_host.journal import encode_line

FRAME = 32 * 1024
COMMIT = 256 * 1024
"""What the host sends without an acknowledgement: the engine commits at least that often."""
LINES = 50_000
LONG = 100_000
RUNS = 2_000


@contextmanager
def catalog() -> Iterator[Catalog]:
    """A fresh one."""
    with tempfile.TemporaryDirectory() as folder:
        made = Catalog.open(Paths(Path(folder) / "home"))
        made.instances.ensure_local()
        yield made
        made.close()


@contextmanager
def floor() -> Iterator[sqlite3.Connection]:
    """A fresh plain database."""
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "floor.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(
            "CREATE TABLE point (run INTEGER, metric INTEGER, step INTEGER, t REAL, value REAL,"
            " PRIMARY KEY (run, metric, step)) WITHOUT ROWID"
        )
        yield db


def new_run(made: Catalog, name: str = "bench") -> Run:
    """A run on this machine."""
    local = made.instances.ensure_local()
    return made.runs.create(Run(new_id(), name, "train", RunState.QUEUED, 1, ()), [local.id])


def journal(lines: int, keys: int) -> bytes:
    """A trainer's journal."""
    chance = random.Random(7)
    names = [f"train/metric-{i}" for i in range(keys)]
    return b"".join(
        encode_line(
            {"seq": i, "t": round(1.7e9 + i * 0.05, 4), "m": round(i * 0.05, 4), "kind": "metric", "step": i,
             "values": {name: chance.random() for name in names}}
        )
        for i in range(lines)
    )  # fmt: skip


def ingest(data: bytes, commit: int) -> float:
    """Seconds from bytes to rows."""
    with catalog() as made:
        run = new_run(made)
        source = made.sources.open(made.instances.ensure_local().id, run.id, 1, "trainer")
        into = Ingest(made, source, 0.25)

        def work() -> None:
            waiting = 0
            for at in range(0, len(data), FRAME):
                piece = data[at : at + FRAME]
                into.feed(at, piece)
                waiting += len(piece)
                if waiting >= commit:
                    into.commit()
                    waiting = 0
            into.commit()

        return cpu(work)


def insert(lines: int, keys: int) -> float:
    """Seconds of the floor for the same points."""
    chance = random.Random(7)
    rows = [
        (1, key, step, 1.7e9 + step * 0.05, chance.random()) for step in range(lines) for key in range(keys)
    ]
    with floor() as db:

        def work() -> None:
            for at in range(0, len(rows), 1000):
                with db:
                    db.executemany("INSERT INTO point VALUES (?, ?, ?, ?, ?)", rows[at : at + 1000])

        return cpu(work)


def bench_ingest() -> bool:
    """Whole path over floor, for journals of several widths and commits of several sizes."""
    met = True
    for keys, commit, goal in (
        (1, COMMIT, 2.0),
        (4, COMMIT, 2.0),
        (40, COMMIT, 2.0),
        (4, FRAME, 2.0),
        (1, FRAME, None),
    ):
        lines = max(2_000, LINES // keys)
        data, points = journal(lines, keys), lines * keys
        value, ours, plain = ratio(partial(ingest, data, commit), partial(insert, lines, keys))
        detail = (
            f"{points} points, {keys} a line, commits of {commit // 1024} KiB:"
            f" {ours / points * 1e6:.2f} us a point, floor {plain / points * 1e6:.2f}"
        )
        met &= figure("catalog ingest / floor", value, goal, detail)
    return met


def bench_series() -> bool:
    """Reading 100,000 points, and what they take on the disk."""
    data = journal(LONG, 1)
    with catalog() as made, floor() as db:
        run = new_run(made)
        into = Ingest(made, made.sources.open(made.instances.ensure_local().id, run.id, 1, "trainer"), 0.0)
        empty = disk_bytes(made)
        into.feed(0, data)
        into.commit()
        size = (disk_bytes(made) - empty) / LONG
        made.metrics.series(run.id, arrays=True)  # numpy is imported
        db.executemany(
            "INSERT INTO point VALUES (1, 1, ?, ?, ?)", [(i, 1.7e9 + i * 0.05, i * 0.5) for i in range(LONG)]
        )
        db.commit()
        select = "SELECT step, t, value FROM point WHERE run = 1 AND metric = 1 ORDER BY step"
        plain = partial(cpu, lambda: db.execute(select).fetchall())
        met = figure("catalog bytes a point", size, 16.0, f"{LONG} points of one series in one commit")
        for what, goal, work in (
            ("arrays", 0.2, lambda: made.metrics.series(run.id, arrays=True)),
            ("lists", None, lambda: made.metrics.series(run.id)),
            ("envelope of 20", None, lambda: made.metrics.envelope(run.id, "train/metric-0", buckets=20)),
        ):
            value, ours, floor_s = ratio(partial(cpu, work), plain)
            detail = f"{LONG} points as {what}: {ours * 1e3:.2f} ms, floor {floor_s * 1e3:.1f} ms"
            met &= figure("catalog series read / floor", value, goal, detail)
    return met


def disk_bytes(made: Catalog) -> int:
    """What the catalog takes once its log is written back."""
    with closing(sqlite3.connect(made.paths.catalog)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made.paths.catalog.stat().st_size


def bench_live() -> bool:
    """A line of four points a commit, as a slow run's come."""
    lines = journal(1_000, 4).splitlines(keepends=True)
    with catalog() as made:
        run = new_run(made)
        into = Ingest(made, made.sources.open(made.instances.ensure_local().id, run.id, 1, "trainer"), 0.0)

        def work() -> None:
            for line in lines:
                into.feed(into.source.offset, line)
                into.commit()

        seconds = cpu(work)
    detail = f"{len(lines)} lines of 4 points, a commit each: us of CPU a commit"
    return figure("catalog live commit, us", seconds / len(lines) * 1e6, None, detail)


def bench_page() -> bool:
    """The first page of 2,000 runs with their summaries."""
    keys = ("train/loss", "train/accuracy", "validation/loss", "validation/accuracy")
    with catalog() as made:
        with made.write():
            for i in range(RUNS):
                run = new_run(made, f"run-{i}")
                source = made.sources.open(made.instances.ensure_local().id, run.id, 1, "trainer")
                into = Ingest(made, source, 0.0)
                record = {"seq": 0, "t": 1.7e9, "m": 0.0, "kind": "metric", "step": 3}
                into.feed(0, encode_line({**record, "values": dict.fromkeys(keys, i / 7)}) * 20)
                into.commit()
        with closing(sqlite3.connect(made.paths.catalog)) as db:

            def plain() -> float:
                return cpu(lambda: (db.execute(_RUNS).fetchall(), db.execute(_SUMMARIES).fetchall()))

            met = True
            for what, goal, query in (
                ("all", 2.0, RunQuery(limit=RUNS)),
                (
                    "filtered and sorted by a metric",
                    None,
                    RunQuery("metric.train/loss >= 0", "-metric.train/loss"),
                ),
                ("the first 100", None, RunQuery(limit=100)),
            ):
                value, ours, floor_s = ratio(partial(cpu, partial(made.runs.list, query)), plain)
                times = f"{ours * 1e3:.1f} ms, floor {floor_s * 1e3:.1f} ms"
                detail = f"{RUNS} runs, 4 summaries each, {what}: {times}"
                met &= figure("catalog page / floor", value, goal, detail)
    return met


_RUNS = "SELECT * FROM run WHERE deleted_at IS NULL ORDER BY created_at DESC LIMIT 2000"
_SUMMARIES = "SELECT s.*, m.key FROM summary AS s JOIN metric AS m ON m.id = s.metric"


def main() -> bool:
    """All figures; whether all goals were met."""
    met = [bench_ingest(), bench_series(), bench_live(), bench_page()]
    trackers()
    return all(met)


if __name__ == "__main__":
    main()
