"""The area of comparisons, by keyboard and mouse, and as text at every size."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import pytest
from tests.support import seed, seed_compare
from tests.tui.desk import SIZES, check, desktop, screen, settle, wait_until

from cloudtui.areas.compare import area as compare_area
from cloudtui.areas.compare import chosen
from cloudtui.areas.compare.area import CompareArea
from cloudtui.areas.compare.charts import ChartsTab
from cloudtui.areas.compare.metrics import MetricTable
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Run, RunState

Home = tuple[Path, list[Run]]


@pytest.fixture
def many(tmp_path: Path) -> Home:
    """Nine runs; nothing is compared yet."""
    catalog, runs = seed_compare.home(tmp_path / "home")
    catalog.close()
    return tmp_path / "home", runs


def choose(home: Path, runs: list[Run], **more: str) -> None:
    catalog = Catalog.open(Paths(home))
    seed_compare.remember(catalog, runs, **more)
    catalog.close()


def area(app: Any) -> CompareArea:
    assert isinstance(app.area, CompareArea)
    return app.area


def column(app: Any, at: int) -> list[str]:
    return [row.cells[at][0] for row in area(app).pane.table.rows]


async def test_marked_runs_are_compared_and_remembered(many: Home) -> None:
    home, runs = many
    async with desktop(home) as (app, pilot):
        await pilot.press("end", "space", "up", "space", "c")
        await wait_until(pilot, lambda: app.current == "compare")
        await settle(pilot)
        assert column(app, 1) == ["wide", "narrow"]
        assert column(app, 6) == ["baseline", "-0.0248"]
        assert "8 settings are equal" in screen(app)
        await pilot.press("down", "b")
        await wait_until(pilot, lambda: column(app, 6) == ["+0.0248", "baseline"])
    async with desktop(home) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        assert column(app, 6) == ["+0.0248", "baseline"], "a restart forgets nothing"
        assert chosen.load(app.bridge.catalog).runs == (runs[0].id, runs[1].id)


async def test_a_read_only_desktop_compares_until_it_closes(many: Home) -> None:
    home, runs = many
    choose(home, runs[2:5])
    async with desktop(home, read_only=True) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        assert len(column(app, 1)) == 3
        await pilot.press("down", "b")
        await wait_until(pilot, lambda: column(app, 6)[1] == "baseline")
        await pilot.press("1", "2", "3")
        await wait_until(pilot, lambda: app.current == "runs")
        await settle(pilot)
        await pilot.press("end", "space", "up", "space", "c")
        await wait_until(pilot, lambda: app.current == "compare")
        await wait_until(pilot, lambda: column(app, 1) == ["wide", "narrow"])
        await pilot.press("down", "b")
        await wait_until(pilot, lambda: column(app, 6) == ["+0.0248", "baseline"])
        assert "read-only" not in screen(app)
    catalog = Catalog.open(Paths(home))
    assert chosen.load(catalog).runs == tuple(run.id for run in runs[2:5]), "nothing was written"
    catalog.close()


async def test_of_compared_runs_some_are_compared_on_a_read_only_desktop(many: Home) -> None:
    home, runs = many
    choose(home, runs[:3])
    async with desktop(home, read_only=True) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        await pilot.press("space", "down", "space", "c")
        await wait_until(pilot, lambda: len(column(app, 1)) == 2)


async def test_a_read_that_fails_as_nobody_foresaw_says_so(
    many: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, runs = many
    choose(home, runs[:2])
    async with desktop(home) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        with monkeypatch.context() as broken:
            broken.setattr(compare_area, "read", lambda *_: [][1])
            area(app).reload()
            await wait_until(pilot, lambda: "That failed: IndexError" in screen(app))
        await pilot.press("x")
        await wait_until(pilot, lambda: len(column(app, 1)) == 1)


async def test_runs_are_taken_out_and_gone_to(many: Home) -> None:
    home, runs = many
    choose(home, runs[:3])
    async with desktop(home) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        await pilot.press("x")
        await wait_until(pilot, lambda: column(app, 1) == ["narrow", "lr0.01-s0"])
        await pilot.press("delete")
        await wait_until(pilot, lambda: column(app, 1) == ["lr0.01-s0"])
        await wait_until(pilot, lambda: "One run only" in screen(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.current == "runs")
        await settle(pilot)
        assert app.area is not None
        assert app.area.pane.table.cursor_key == runs[2].id
        await pilot.press("4", "x")
        await wait_until(pilot, lambda: "3 runs: space marks those to compare, then c" in screen(app))


async def test_groups_turn_and_few_runs_may_be_grouped_too(many: Home) -> None:
    home, runs = many
    choose(home, runs[2:8])
    async with desktop(home) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        for said in ("2 groups by all but the seed", "2 groups by lr", "3 groups by seed"):
            await pilot.press("g")
            await wait_until(pilot, lambda said=said: said in screen(app))
        await pilot.press("g")
        await wait_until(pilot, lambda: "groups by" not in screen(app))


async def test_a_metric_is_looked_at_by_key_and_by_mouse(many: Home) -> None:
    home, runs = many
    choose(home, runs[:2])
    async with desktop(home, (120, 30)) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        assert "validation/accuracy, more is better" in screen(app)
        await pilot.press("v")
        await wait_until(pilot, lambda: "train/loss, less is better" in screen(app))
        strip = area(app).query_one(TabStrip)
        start = next(start for start, _, tab in strip._places if tab == "Metrics")
        await pilot.click(strip, offset=(start, 0))
        await settle(pilot)
        table = area(app).query_one(MetricTable)
        await pilot.click(table, offset=(4, 5), times=2)  # the second row of validation/accuracy
        await wait_until(pilot, lambda: "validation/accuracy, more is better" in screen(app))
        await wait_until(pilot, lambda: strip.current == "Charts")
        await settle(pilot)
        assert area(app).query_one(ChartsTab).chart.title == "validation/accuracy"


async def test_a_live_run_goes_on_growing(many: Home) -> None:
    home, runs = many
    catalog = Catalog.open(Paths(home))
    live = seed.add_run(
        catalog, "live", RunState.RUNNING, on=catalog.instances.list()[1].id, age_s=100,
        columns=seed_compare.curves(50, 0.9, 3), params={"lr": 1.0},
    )  # fmt: skip
    seed_compare.remember(catalog, [runs[0], live])
    async with desktop(home) as (app, pilot):
        await pilot.press("4", "]")
        await settle(pilot)
        tab = area(app).query_one(ChartsTab)
        assert [len(one.steps) for one in tab.chart._plots] == [200, 50]
        more = Points(array("q", [5000]), array("d", [seed.NOW]), array("d", [0.99]))
        catalog.metrics.append(live.id, 1, {"validation/accuracy": more})
        await wait_until(pilot, lambda: [len(one.steps) for one in tab.chart._plots] == [200, 51])
        await wait_until(pilot, lambda: "0.9900" in screen(app))
    catalog.close()


async def test_a_run_in_the_trash_stays_and_one_that_is_gone_is_told_of(many: Home) -> None:
    home, runs = many
    catalog = Catalog.open(Paths(home))
    catalog.runs.delete(runs[1].id, seed.NOW)
    catalog.settings.set("desktop.compare", {"runs": [runs[0].id, runs[1].id, "c-never-there"]})
    catalog.close()
    async with desktop(home) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        assert column(app, 2) == ["✓ succeeded", "⌫ in the trash"]
        assert "1 not in this catalog any more" in screen(app)


@pytest.mark.parametrize("kept", [None, 7, {"runs": 3}, {"runs": ["x", 4], "way": [1], "metric": {}}])
async def test_what_was_kept_by_another_hand_breaks_nothing(many: Home, kept: object) -> None:
    home, _ = many
    catalog = Catalog.open(Paths(home))
    catalog.settings.set("desktop.compare", kept)
    catalog.close()
    async with desktop(home) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        assert area(app).pane.table.total == 0
        assert "Nothing is compared yet" in screen(app)


async def test_runs_without_a_metric_in_common_say_so(many: Home) -> None:
    home, runs = many
    catalog = Catalog.open(Paths(home))
    where = catalog.instances.list()[1].id
    own = Points(array("q", [1, 2]), array("d", [0.0, 1.0]), array("d", [1.0, 2.0]))
    odd = seed.add_run(
        catalog, "odd", RunState.FAILED, on=where, age_s=5, columns={"reward": own}, params={}, exit_code=1
    )
    queued = seed.add_run(catalog, "queued", RunState.QUEUED, on=where, age_s=4, params={"lr": 1})
    other = seed.add_run(catalog, "other", RunState.QUEUED, on=where, age_s=3, params={"lr": 2})
    seed_compare.remember(catalog, [runs[0], odd])
    async with desktop(home) as (app, pilot):
        await pilot.press("4", "]")
        await settle(pilot)
        assert "1 of 2 runs has none of it." in screen(app)
        seed_compare.remember(catalog, [queued, other])
        await wait_until(pilot, lambda: "None of these runs has logged one." in screen(app))
        await pilot.press("]")
        await settle(pilot)
        assert "No metrics yet" in screen(app)
    catalog.close()


async def test_fifty_runs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    catalog = Catalog.open(Paths(home))
    where = seed.instances(catalog)[1].id
    runs = [
        seed.add_run(
            catalog, f"run-{at}", RunState.SUCCEEDED, on=where, age_s=1000 - at, exit_code=0,
            columns=seed_compare.curves(30, 0.5 + at / 100, at),
            params={"lr": at % 10 / 10, "seed": at // 10},
        )
        for at in range(50)
    ]  # fmt: skip
    seed_compare.remember(catalog, runs)
    catalog.close()
    async with desktop(home, (200, 50)) as (app, pilot):
        await pilot.press("4", "]")
        await settle(pilot)
        said = screen(app)
        assert "10 groups by lr" in said or "10 groups by all but the seed" in said or "5 groups" in said
        assert "Means, each in a band of ± one deviation." in said
        assert area(app).pane.table.total == 50


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", ["empty", "two", "grouped"])
async def test_how_it_looks(many: Home, state: str, size: tuple[int, int]) -> None:
    home, runs = many
    if state != "empty":
        choose(home, runs[:2] if state == "two" else runs[2:])
    async with desktop(home, size) as (app, pilot):
        await pilot.press("4")
        await settle(pilot)
        name = f"{size[0]}x{size[1]}"
        check(f"compare-{state}-{name}", screen(app))
        if state == "empty":
            return
        if size[0] < 100:
            await pilot.press("enter")
            await settle(pilot)
            check(f"compare-{state}-differences-{name}", screen(app))
        for tab in ("charts", "metrics"):
            await pilot.press("]")
            await settle(pilot)
            check(f"compare-{state}-{tab}-{name}", screen(app))
