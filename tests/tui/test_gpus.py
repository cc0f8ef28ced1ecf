"""What GPUs did and who uses them: the heat map, the processes, and for how long a machine has been idle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import seed
from tests.tui.desk import check, desktop, screen, settle, wait_until

from cloudtui.areas.instances.gpus import gpu_rows, process_rows, said
from cloudtui.areas.instances.machine import LOOKED_AT_S, Machine
from cloudtui.areas.instances.rows import idle
from cloudtui.widgets.gpu_map import GpuMap, GpuRow, draw, shade
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.gpu import GpuMinute, GpuSample
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.run import Run, RunState

NOW = seed.NOW
MINUTE = int(NOW // 60)
BOX = Instance("b", "box-2", "ssh", link_state=LinkState.UP, idle_since=NOW - 2470, looked_at=NOW - 5)


def test_a_cell_is_a_minute_and_its_shade_how_much_was_used() -> None:
    assert [shade(share) for share in (None, 0.0, 0.049, 0.05, 0.3, 0.6, 0.75, 1.0)] == list(" ··░▒▓██")
    used = {MINUTE: 1.0, MINUTE - 1: 0.3, MINUTE - 59: 0.1, MINUTE - 60: 1.0}
    rows = [GpuRow("0  A100", used, {MINUTE: 0.6}, ("93%", "41 GB"))]
    title, line, times = ("".join(text for text, _ in one) for one in draw(rows, MINUTE, 100, memory=False))
    assert "last hour" in title
    assert line[20:80] == "░" + " " * 57 + "▒█"
    assert line.endswith("93%")
    assert times[20:].startswith("-60m")
    assert times.endswith("now")
    *_, memory, _ = draw(rows, MINUTE, 100, memory=True)
    assert "▓" in memory[1][0]
    assert memory[2][0].endswith("41 GB")
    narrow = draw(rows, MINUTE, 60, memory=False)
    assert "last 31 min" in narrow[0][0][0]
    assert draw([], MINUTE, 5, memory=False)


def test_rows_come_from_what_was_seen_and_what_was_measured() -> None:
    gpus = [{"index": 1, "name": "A10", "utilization": 12.0, "memory_used_bytes": 2e9}, {"index": "x"}]
    minutes = [GpuMinute(MINUTE, 0, 50.0, 6e9, 24e9), GpuMinute(MINUTE, 1, 10.0, None, None)]
    zero, one = gpu_rows(gpus, minutes)
    assert (zero.used, zero.memory, zero.now) == ({MINUTE: 0.5}, {MINUTE: 0.25}, ("–", "–"))
    assert (one.label, one.memory, one.now) == ("1  A10", {}, ("12%", "2.00 GB"))


def test_processes_are_a_hosts_word() -> None:
    bad = {"pid": True, "user": "[@click=app.quit]x", "memory_bytes": "much", "command": "a\x1b[31mb\nc"}
    good = {"pid": 7, "user": "eve", "memory_bytes": 3e9, "command": "python"}
    first, second = process_rows([{"index": 0, "processes": [bad, good, "x"]}, {"index": 1}])
    assert [text for text, _ in first.cells] == ["0", "7", "eve", "3.00 GB", "python"]
    assert second.cells[1][0] == "–"
    assert "\x1b" not in second.cells[4][0]


@pytest.mark.parametrize(
    ("machine", "shown"),
    [
        pytest.param(Machine(BOX), "41m", id="idle"),
        pytest.param(
            Machine(BOX, (Run("r", "r", "train", RunState.QUEUED, 1, ()),)), "–", id="queued for it"
        ),
        pytest.param(Machine(BOX, watched=False), "–", id="no engine"),
        pytest.param(Machine(replace(BOX, link_state=LinkState.DOWN)), "–", id="no link"),
        pytest.param(Machine(replace(BOX, looked_at=NOW - LOOKED_AT_S - 1)), "–", id="nobody looked"),
        pytest.param(Machine(replace(BOX, idle_since=None)), "–", id="at work"),
    ],
)
def test_idle_is_told_only_where_it_is_known(machine: Machine, shown: str) -> None:
    assert idle(machine, NOW)[0] == shown
    assert ("idle for 41m" in said(machine, NOW)[0]) is (shown == "41m")


@pytest.fixture
def watched(story: Path) -> Iterator[Path]:
    """A home with an engine."""
    with EngineLock(Paths(story)) as lock:
        assert lock.acquire()
        yield story


async def test_on_the_desktop(watched: Path) -> None:
    async with desktop(watched, (200, 50), first="instances") as (app, pilot):
        area = app.area
        assert area is not None
        assert "41m" in next(line for line in screen(app).splitlines() if "RTX 4090 x2" in line)
        area.pane.table.select("c0000000000box01")
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert "/opt/conda/bin/python train.py" in screen(app)
        assert "███" in screen(app)
        check("instances-gpus-200x50", screen(app))
        gpus = app.query_one(GpuMap)
        await pilot.click(gpus, offset=(3, 0))
        await wait_until(pilot, lambda: "Memory by the minute" in screen(app))
        gpus.focus()
        await pilot.press("m")
        await wait_until(pilot, lambda: "Utilization by the minute" in screen(app))
        with closing(Catalog.open(Paths(watched))) as catalog:
            catalog.gpu_use.add("c0000000000box01", [GpuSample(NOW, 7, 50.0, 1e9, 2e9)], now=NOW)
        await wait_until(pilot, lambda: any(row.label.startswith("7") for row in gpus.rows))
