"""How figures are taken and printed."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call, the system's part included: other work on the machine does not count."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def ratio(
    ours: Callable[[], float], floor: Callable[[], float], rounds: int = 5
) -> tuple[float, float, float]:
    """Median ratio of alternated pairs, and the median seconds of both; each call returns its seconds."""
    pairs = [(ours(), floor()) for _ in range(rounds)]
    return (
        statistics.median(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def figure(bench: str, value: float, goal: float | None, detail: str) -> bool:
    """Print one figure; goals are upper limits. Returns whether it was met."""
    ok = goal is None or value <= goal
    print(
        json.dumps({"bench": bench, "ratio": round(value, 3), "goal": goal, "ok": ok, "detail": detail}),
        flush=True,
    )
    return ok


def skipped(bench: str, why: str) -> None:
    """Say what was not measured."""
    print(
        json.dumps({"bench": bench, "ratio": None, "goal": None, "ok": True, "detail": f"skipped: {why}"}),
        flush=True,
    )
