"""What GPUs did of late: minutes from samples, and since when a machine is idle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.gpu_use import GAP_S, KEPT_S
from cloudtui_engine.records.gpu import GpuSample

NOW = 1_790_000_000.0


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def gpu(use: float | None, index: int = 0) -> dict[str, object]:
    return {
        "index": index,
        "utilization": use,
        "memory_used_bytes": 1e9,
        "memory_bytes": 24e9,
        "processes": [],
    }


def test_samples_of_a_minute_are_one_row(catalog: Catalog) -> None:
    machine = catalog.instances.ensure_local().id
    first = NOW // 60 * 60
    samples = [
        GpuSample(first + t, 0, use, memory, 24e9)
        for t, use, memory in ((1, 10, None), (5, 30, 2e9), (9, 50, 1e9))
    ]
    catalog.gpu_use.add(machine, samples, now=NOW)
    catalog.gpu_use.add(machine, [GpuSample(first + 61, 0, 100, 3e9, 24e9)], now=NOW)
    found = catalog.gpu_use.since(machine, first)
    assert [(one.utilization, one.memory_used) for one in found] == [(30.0, 2e9), (100.0, 3e9)]
    assert found[1].minute == found[0].minute + 1


def test_only_the_last_hours_are_kept(catalog: Catalog) -> None:
    machine = catalog.instances.ensure_local().id
    catalog.gpu_use.add(machine, [GpuSample(NOW - KEPT_S - 1, 0, 50), GpuSample(NOW + 3600, 0, 50)], now=NOW)
    assert catalog.gpu_use.since(machine, 0) == []
    catalog.gpu_use.add(machine, [GpuSample(NOW, 0, 50)], now=NOW)
    catalog.gpu_use.add(machine, [GpuSample(NOW + KEPT_S + 120, 0, 50)], now=NOW + KEPT_S + 120)
    assert len(catalog.gpu_use.since(machine, 0)) == 1


def test_idle_is_since_the_first_of_looks_that_all_were_quiet(catalog: Catalog) -> None:
    machine = catalog.instances.ensure_local().id

    def look(after: float, *uses: float | None, working: bool = False) -> float | None:
        gpus = [gpu(use, index) for index, use in enumerate(uses)]
        return catalog.gpu_use.looked(machine, gpus, NOW + after, working=working)

    assert look(0, 93.0) is None
    assert look(15, 0.0, 1.0) == NOW + 15
    assert look(30, 4.9, 0.0) == NOW + 15
    assert look(45, 0.0, 5.0) is None  # one of two is used
    assert look(60, 0.0, 0.0, working=True) is None  # a job of ours prepares its data
    assert look(75, None, 0.0) is None  # not told is not quiet
    assert look(90) is None  # no GPU, no word
    assert len(catalog.instances.get(machine).gpus) == 2  # it did not answer: they are there all the same
    assert look(105, 0.0) == NOW + 105
    assert look(105 + GAP_S + 1, 0.0) == NOW + 105 + GAP_S + 1  # nobody looked for a while
    kept = catalog.instances.get(machine)
    assert (kept.idle_since, kept.looked_at) == (NOW + 106 + GAP_S,) * 2
    assert kept.gpus[0]["t"] == NOW + 106 + GAP_S
