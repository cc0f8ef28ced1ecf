"""Catalogs, runs and journals for tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.goals import goal_of
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs.ingest import Ingest
from cloudtui_host.journal import encode_line


def no_mounts() -> str:
    return ""


def open_catalog(home: Path) -> Catalog:
    return Catalog.open(Paths(home), mounts=no_mounts)


def a_run(name: str = "run", **fields: Any) -> Run:
    return Run(new_id(), name, fields.pop("kind", "train"), RunState.QUEUED, 1, (), **fields)


def create(catalog: Catalog, name: str = "run", **fields: Any) -> Run:
    return catalog.runs.create(a_run(name, **fields), [catalog.instances.ensure_local().id])


def finish(catalog: Catalog, run_id: str, number: int = 1, state: RunState = RunState.SUCCEEDED) -> None:
    way = (RunState.QUEUED, RunState.STAGING, RunState.STARTING, RunState.RUNNING, state)
    for before, after in pairwise(way):
        assert catalog.runs.move(run_id, number, after, expected=before)


def ingest_of(
    catalog: Catalog, run: Run, attempt: int = 1, name: str = "trainer", shift: float = 0.0
) -> Ingest:
    source = catalog.sources.open(catalog.instances.ensure_local().id, run.id, attempt, name)
    return Ingest(catalog, source, shift)


def line(kind: str = "metric", seq: int = 0, t: float = 1.7e9, **fields: Any) -> bytes:
    return encode_line({"seq": seq, "t": t, "m": 0.5, "kind": kind, **fields})


def metric(step: int, values: Mapping[str, Any], t: float = 1.7e9) -> bytes:
    return line(seq=step, t=t, step=step, values=dict(values))


def store(catalog: Catalog, run: Run, data: bytes, attempt: int = 1, name: str = "trainer") -> Ingest:
    into = ingest_of(catalog, run, attempt, name)
    into.feed(into.source.offset, data)
    into.commit()
    return into


def nan_safe(values: Iterable[float | None]) -> list[Any]:
    return ["nan" if value is not None and math.isnan(value) else value for value in values]


def brute_summary(
    key: str, points: list[tuple[int, float]], goals: Mapping[str, str] | None = None
) -> tuple[Any, ...]:
    """What a summary must say of the visible points in order: the plainest way to compute it."""
    values = [value for _, value in points]
    finite = [(value, step) for step, value in points if math.isfinite(value)]
    top = max(step for step, _ in points)
    last = [value for step, value in points if step == top][-1]
    goal = (goals or {}).get(key) or goal_of(key)
    best = best_step = None
    if finite and goal:
        best = (min if goal == "min" else max)(value for value, _ in finite)
        best_step = next(step for value, step in finite if value == best)
    stride = 1
    while math.ceil(len(values) / stride) > 15:
        stride *= 2
    spark = values[::stride] + ([last] if (len(values) - 1) % stride else [])
    low = min((value for value, _ in finite), default=None)
    high = max((value for value, _ in finite), default=None)
    return (
        key,
        goal,
        len(points),
        top,
        *nan_safe([last, best]),
        best_step,
        low,
        high,
        tuple(nan_safe(spark)),
    )


def summary_tuple(summary: Any) -> tuple[Any, ...]:
    return (
        summary.key, summary.goal, summary.count, summary.step, *nan_safe([summary.last, summary.best]),
        summary.best_step, summary.min, summary.max, tuple(nan_safe(summary.spark)),
    )  # fmt: skip
