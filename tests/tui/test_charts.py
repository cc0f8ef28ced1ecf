"""A run's charts by key and mouse: axes, zoom, crosshair, one cursor in all tabs, the replay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support import seed
from tests.tui.desk import SIZES, check, desktop, screen, settle, wait_until
from textual.pilot import Pilot

from cloudtui.app import CloudtuiApp
from cloudtui.areas.runs import detail as run_detail
from cloudtui.areas.runs.charts import ChartsTab
from cloudtui.areas.runs.detail import RunDetail
from cloudtui.areas.runs.system import SystemTab
from cloudtui.widgets.chart import Chart
from cloudtui.widgets.log_view import LogView


@pytest.fixture
def story(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    seed.story(home).catalog.close()
    return home


@asynccontextmanager
async def charts(
    home: Path, size: tuple[int, int] = (120, 30)
) -> AsyncIterator[tuple[CloudtuiApp, Pilot[int]]]:
    """The charts of the run that has samples, too, with the focus in the first."""
    async with desktop(home, size) as (app, pilot):
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: isinstance(app.focused, Chart))
        await settle(pilot)
        yield app, pilot


def grid_of(app: Any, kind: type[Any] = ChartsTab) -> list[Chart]:
    return list(app.query_one(kind).query(Chart))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_looks(story: Path, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    async with charts(story, size) as (app, pilot):
        await pilot.press("l", "x")
        await settle(pilot)
        check(f"charts-log-time-{name}", screen(app))
        await pilot.press("x", "l", *["left"] * 12, "plus", "plus")
        await settle(pilot)
        check(f"charts-zoomed-{name}", screen(app))


async def test_plus_zooms_all_charts_and_0_shows_all_again(story: Path) -> None:
    async with charts(story) as (app, pilot):
        first, second = grid_of(app)[:2]
        await pilot.press("plus")
        await settle(pilot)
        assert len(app.screen_stack) == 1, "plus did not begin a training"
        assert first.zoom is not None
        assert first.zoom == second.zoom
        before = first.zoom
        await pilot.press("shift+left")
        await settle(pilot)
        assert first.zoom[0] < before[0]
        assert first.zoom == second.zoom
        await pilot.press("0")
        await settle(pilot)
        assert (first.zoom, second.zoom, second.pointer) == (None, None, None)


async def test_wheel_zooms_and_drag_pans(story: Path) -> None:
    async with charts(story) as (app, pilot):
        first, second = grid_of(app)[:2]
        await pilot._post_mouse_events([run_detail_wheel()], first, offset=(20, 5))
        await settle(pilot)
        zoom = first.zoom
        assert zoom is not None
        await pilot.mouse_down(first, offset=(20, 5))
        await pilot.hover(first, offset=(26, 5))
        await pilot.mouse_up(first, offset=(26, 5))
        await settle(pilot)
        assert first.zoom is not None
        assert first.zoom[0] < zoom[0]
        assert first.zoom == second.zoom


def run_detail_wheel() -> type[Any]:
    from textual.events import MouseScrollUp

    return MouseScrollUp


async def test_a_click_keeps_the_crosshair_when_the_mouse_leaves(story: Path) -> None:
    async with charts(story) as (app, pilot):
        first, second = grid_of(app)[:2]
        await pilot.hover(first, offset=(20, 5))
        await wait_until(pilot, lambda: second.pointer is not None)
        hovered = second.pointer
        await pilot.hover("#rail" if app.query("#rail") else "Table")
        await wait_until(pilot, lambda: second.pointer is None and first.pointer is None)
        await pilot.click(first, offset=(20, 5))
        await wait_until(pilot, lambda: second.pinned == hovered)
        await pilot.hover("Table")
        await settle(pilot)
        assert first.pointer == second.pointer == hovered


async def test_the_axis_goes_round_and_the_crosshair_stays_at_its_moment(story: Path) -> None:
    async with charts(story) as (app, pilot):
        await pilot.press(*["left"] * 10)
        await settle(pilot)
        tab, first = app.query_one(ChartsTab), grid_of(app)[0]
        assert tab.clock is not None
        assert first.pointer is not None
        moment = tab.clock.moment(first.pointer)
        await pilot.press("x")
        await settle(pilot)
        assert first.axis == "time"
        assert first.pointer is not None
        assert abs(tab.clock.moment(first.pointer) - moment) < 0.5
        await pilot.press("x")
        await settle(pilot)
        assert first.axis == "step", "this run logs no epoch"


async def test_an_epoch_axis_where_the_run_logs_epochs(story: Path) -> None:
    from array import array

    from cloudtui_engine.catalog import Catalog
    from cloudtui_engine.catalog.chunks import Points
    from cloudtui_engine.paths import Paths

    catalog = Catalog.open(Paths(story))
    run = next(run for run in catalog.runs.list() if run.name == "vit-small-aug-3")
    times = array("d", [seed.NOW - 300, seed.NOW - 1])
    catalog.metrics.append(run.id, 1, {"epoch": Points(array("q", [0, 5460]), times, array("d", [0.0, 7.0]))})
    catalog.close()
    async with charts(story) as (app, pilot):
        await pilot.press("x", "x", "left")
        await settle(pilot)
        assert grid_of(app)[0].axis == "epoch"
        assert "epoch 7.00" in screen(app)


async def test_smoothing_is_that_of_all_charts(story: Path) -> None:
    async with charts(story) as (app, pilot):
        first, second = grid_of(app)[:2]
        before = screen(app)
        await pilot.press("full_stop")
        await settle(pilot)
        assert second.smooth is True
        assert second.strength == first.strength > 0
        assert screen(app) != before
        await pilot.press(*["comma"] * 5)
        await settle(pilot)
        assert second.smooth is False
        await pilot.press("full_stop")
        assert (first.smooth, first.strength) == (True, 0)


async def test_the_system_tab_shows_the_same_moment(story: Path) -> None:
    async with charts(story) as (app, pilot):
        await pilot.press(*["left"] * 10)
        await settle(pilot)
        moment = app.query_one(RunDetail).moment
        assert moment is not None
        await pilot.press("]", "]", "]")
        await settle(pilot)
        system = app.query_one(SystemTab)
        assert system.clock is not None
        pointer = grid_of(app, SystemTab)[0].pointer
        assert pointer == system.clock.place(moment) is not None


async def test_a_replay_draws_to_the_cursor_in_every_tab(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(run_detail, "monotonic", lambda: clock[0])
    async with charts(story) as (app, pilot):
        shown, first = app.query_one(RunDetail), grid_of(app)[0]
        await pilot.press("space")
        assert shown.replay is not None
        speed = shown.replay.speed
        await pilot.press("greater_than_sign")
        assert shown.replay.speed > speed
        clock[0] = 4.0
        await wait_until(pilot, lambda: first.until is not None and first.until > 100)
        await pilot.press("space")
        assert "‖ paused" in screen(app)
        tab = app.query_one(ChartsTab)
        assert tab.clock is not None
        assert first.until == first.pointer == tab.clock.place(shown.replay.at)
        await pilot.press("right")
        await wait_until(pilot, lambda: first.until == first.pointer)
        await pilot.press("]", "]", "]")
        await settle(pilot)
        other = grid_of(app, SystemTab)[0]
        assert other.until == other.pointer is not None
        await pilot.press("space")
        clock[0] = 1e6
        await wait_until(pilot, lambda: "■ end" in screen(app))
        await pilot.press("0")
        await wait_until(pilot, lambda: shown.replay is None and other.until is None and first.until is None)


async def test_another_run_has_no_cursor_of_this_one(story: Path) -> None:
    async with charts(story) as (app, pilot):
        await pilot.press("space", "escape", "up")
        await settle(pilot)
        shown = app.query_one(RunDetail)
        assert (shown.replay, shown.moment) == (None, None)
        assert all(chart.until is None for chart in grid_of(app))


async def test_n_finds_the_next_match_and_the_count_is_said(story: Path) -> None:
    async with charts(story) as (app, pilot):
        await pilot.press("]")
        await wait_until(pilot, lambda: isinstance(app.focused, LogView))
        await pilot.press("slash", *"epoch  7", "enter")
        await wait_until(pilot, lambda: "20 matches" in screen(app))
        view = app.query_one(LogView)
        before = view.window.top
        await pilot.press("n")
        await wait_until(pilot, lambda: view.window.top > before)
        assert len(app.screen_stack) == 1
        await pilot.press("N")
        await wait_until(pilot, lambda: view.window.top == before)
