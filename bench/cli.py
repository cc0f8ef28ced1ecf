"""What a command costs beside its work: CPU seconds of whole processes, with a catalog of 200 runs."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._report import cpu, figure
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Run, RunState

GOAL_S = 0.25
RUNS = 200
ROUNDS = 9


def main() -> bool:
    """Print the figures; False when one misses its goal."""
    loop = statistics.median(cpu(_loop) for _ in range(ROUNDS))
    met = True
    with tempfile.TemporaryDirectory() as folder:
        _fill(Paths(Path(folder)))
        for name, words in (
            ("cli: run list --json, 200 runs", ("run", "list", "--json")),
            ("cli: run show", ("run", "show", "run-7", "--json")),
            ("cli: help", ("--help",)),
        ):
            seconds = statistics.median(_process(folder, words) for _ in range(ROUNDS))
            detail = f"CPU seconds, goal is seconds; {seconds / loop:.1f} times a loop of a million"
            met &= figure(name, seconds, GOAL_S, detail)
    return met


def _loop() -> int:
    total = 0
    for number in range(1_000_000):
        total += number
    return total


def _fill(paths: Paths) -> None:
    catalog = Catalog.open(paths)
    local = catalog.instances.ensure_local()
    with catalog.write("run"):
        for number in range(RUNS):
            run = Run(new_id(), f"run-{number}", "train", RunState.QUEUED, 1, (), created_at=time.time())
            catalog.runs.create(run, [local.id])
    catalog.close()


def _process(home: str, words: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "cloudtui", *words],
        env={**os.environ, "CLOUDTUI_HOME": home},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
