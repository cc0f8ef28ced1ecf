"""A home with runs that are worth comparing: a few that differ by hand, many that repeat with other seeds."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from pathlib import Path

from tests.support import seed

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Run, RunState


def curves(points: int, reached: float, noise: int) -> dict[str, Points]:
    """An accuracy that comes to `reached`, and a loss that falls with it."""
    source = random.Random(noise)
    steps = array("q", range(10, 10 * points + 1, 10))
    times = array("d", [seed.NOW - points + i for i in range(points)])
    rise = [1 - math.exp(-4 * (i + 1) / points) for i in range(points)]
    accuracy = array("d", [reached * r + source.uniform(-0.004, 0.004) for r in rise])
    loss = array("d", [2.3 * (1 - r) + 1 - reached + source.uniform(-0.02, 0.02) for r in rise])
    return {"validation/accuracy": Points(steps, times, accuracy), "train/loss": Points(steps, times, loss)}


def home(path: Path) -> tuple[Catalog, list[Run]]:
    """Two by hand, one of another kind without a metric in common, then seven: two rates, seeds, one more."""
    catalog = Catalog.open(Paths(path))
    on = seed.instances(catalog)[1].id
    data = seed.dataset(catalog)
    base = {"epochs": 20, "batch_size": 128, "optimizer": "adamw", "schedule": "one_cycle"}
    plan: list[tuple[str, dict[str, object], float]] = [
        ("wide", base | {"lr": 0.003, "width": 64, "seed": 0}, 0.942),
        ("narrow", base | {"lr": 0.003, "width": 16, "seed": 0}, 0.917),
        *(
            (f"lr{rate}-s{number}", base | {"lr": rate, "width": 32, "seed": number}, reached + number / 500)
            for rate, reached, seeds in ((0.01, 0.93, 3), (0.001, 0.90, 3), (0.1, 0.71, 1))
            for number in range(seeds)
        ),
    ]
    runs = [
        seed.add_run(
            catalog,
            name,
            RunState.SUCCEEDED,
            on=on,
            age_s=9000 - 60 * at,
            took_s=600 + at,
            columns=curves(200, reached, at),
            params=params,
            data=data,
            exit_code=0,
            identity=f"crun{at:012}",
        )
        for at, (name, params, reached) in enumerate(plan)
    ]
    return catalog, runs


def remember(catalog: Catalog, runs: Sequence[Run], **more: str) -> None:
    """These are compared, as if a person had chosen them."""
    catalog.settings.set("desktop.compare", {"runs": [run.id for run in runs], **more})
