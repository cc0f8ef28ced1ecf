"""The catalog beside plain sqlite3 rows, and beside other trackers where they are installed.

The floor is sqlite3 with WAL, synchronous=NORMAL, rows (run, metric, step, t, value) WITHOUT ROWID, transactions
of 1,000 rows: the points are there already, nothing is parsed, nothing is summed up.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench._report import cpu, figure, ratio
from cloudtui_engine.catalog import Catalog
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
    for keys, commit in ((1, COMMIT), (4, COMMIT), (4, FRAME), (40, COMMIT), (1, FRAME)):
        lines = max(2_000, LINES // keys)
        data = journal(lines, keys)
        value, ours, plain = ratio(lambda: ingest(data, commit), lambda: insert(lines, keys))  # noqa: B023
        points = lines * keys
        detail = (
            f"{points} points, {keys} a line, commits of {commit // 1024} KiB:"
            f" {ours / points * 1e6:.2f} us a point,"
            f" floor {plain / points * 1e6:.2f}"
        )
        met &= figure("catalog ingest / floor", value, 2.0, detail)
    return met


def main() -> bool:
    """All figures; whether all goals were met."""
    return all([bench_ingest()])


if __name__ == "__main__":
    main()
