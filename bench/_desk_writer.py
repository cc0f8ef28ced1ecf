"""Runs that go on: each has its journal taken in as the engine does, a commit a record.

`python -m bench._desk_writer HOME RUNS` prints a line once all of them run, and goes on until its input ends.
It is the engine of the home meanwhile: its lock is held, its links are up.
"""

from __future__ import annotations

import math
import select
import sys
import time
from pathlib import Path

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths
from cloudtui_engine.runs.ingest import Ingest
from cloudtui_host.journal import encode_line

RECORDS_A_SECOND = 10
"""Of each run; one of them is its progress, the others have four values."""
STEPS = 20_000


def line(seq: int, now: float) -> bytes:
    """What a trainer writes."""
    record = {"seq": seq, "t": round(now, 4), "m": round(now, 4)}
    if seq % RECORDS_A_SECOND == 0:
        place = {"step": seq, "steps": STEPS, "epoch": 1 + seq // 1000, "epochs": 20}
        return encode_line({**record, "kind": "progress", **place})
    loss = 2 * math.exp(-seq / 900) + 0.2 + (seq * 37 % 101) / 900
    values = {"train/loss": loss, "train/accuracy": 1 - loss / 3, "train/rate": 0.003, "train/norm": loss * 4}
    return encode_line({**record, "kind": "metric", "step": seq, "values": values})


def begun(catalog: Catalog, runs: int) -> list[Ingest]:
    """Runs that were started just now, on as many machines."""
    from tests.support import seed
    from tests.support.seed import RunState

    now = time.time()
    machines = [one for one in catalog.instances.list() if one.name != "local"]
    made = []
    for number in range(runs):
        on = machines[number % len(machines)].id
        run = seed.add_run(
            catalog, f"live-{number}", RunState.RUNNING, on=on, age_s=runs - number, now=now,
        )  # fmt: skip
        made.append(Ingest(catalog, catalog.sources.open(on, run.id, 1, "trainer"), 0.0))
    return made


def main() -> None:
    """Write until nobody listens any more."""
    paths = Paths(Path(sys.argv[1]))
    catalog = Catalog.open(paths)
    lock = EngineLock(paths)
    if not lock.acquire():
        raise SystemExit("Another engine has this home.")
    runs = begun(catalog, int(sys.argv[2]))
    print("ready", flush=True)
    start, written = time.monotonic(), 0
    while True:
        due = start + written / (RECORDS_A_SECOND * len(runs))
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            break
        into = runs[written % len(runs)]
        into.feed(into.source.offset, line(written // len(runs), time.time()))
        into.commit()
        written += 1
    seconds = time.monotonic() - start
    print(f"{written / seconds:.0f} records a second for {seconds:.0f} s", flush=True)
    lock.release()
    catalog.close()


if __name__ == "__main__":
    main()
