"""One panel alone, borders by key, and letters to jump by, on the desktop."""

from __future__ import annotations

from pathlib import Path

from tests.tui.desk import desktop, screen, settle, wait_until
from textual.widgets import Input

from cloudtui.areas.tabbed import TabbedDetail
from cloudtui.dialogs.jump import JumpScreen
from cloudtui.widgets.chart import Chart


async def test_one_panel_alone_and_back(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        area = app.area
        assert area is not None
        before = area.pane.region
        await pilot.press("z")
        await wait_until(pilot, lambda: area.pane.region.size == (120, 28))
        assert "Instance" in screen(app)
        await wait_until(pilot, lambda: "z all panels" in screen(app))  # both bars stay
        assert "1 Instances" not in screen(app)
        await pilot.press("z")
        await wait_until(pilot, lambda: area.pane.region == before)
        await pilot.press("z", "slash")
        await wait_until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("r", "escape")  # the line is left first
        await wait_until(pilot, lambda: area.pane.table.has_focus)
        assert app.screen.maximized is area.pane
        await pilot.press("escape")
        await wait_until(pilot, lambda: area.pane.region == before)
        await pilot.press("z", "enter")  # keys go elsewhere: that is seen
        await wait_until(pilot, lambda: isinstance(app.focused, Chart))
        await wait_until(pilot, lambda: app.screen.maximized is None)
        chart = app.focused
        await pilot.press("z")
        await wait_until(pilot, lambda: chart.region.size == (120, 28))
        await pilot.press("5")
        await wait_until(pilot, lambda: app.current == "models")
        await settle(pilot)
        assert app.screen.maximized is None
        assert "1 Instances" in screen(app)


async def test_borders_by_key_and_a_letter_for_each_tab_and_part(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        area = app.area
        assert area is not None
        height = area.pane.region.height
        await pilot.press("right_curly_bracket")
        await wait_until(pilot, lambda: area.pane.region.height == height + 4)
        assert set(area.shares) == {"above"}
        await pilot.press("vertical_line")
        await wait_until(pilot, lambda: area.pane.region.height == height)
        assert isinstance(area.detail, TabbedDetail)

        async def letter_at(x: int, y: int) -> str:
            await pilot.press("ctrl+o")
            await wait_until(pilot, lambda: isinstance(app.screen, JumpScreen) and app.screen.query("Static"))
            await wait_until(pilot, lambda: all(one.region for one in app.screen.query("Static")))
            return next(
                (one.id or "").removeprefix("jump-") for one in app.screen.query("Static")
                if (one.region.x, one.region.y) == (x, y)
            )  # fmt: skip

        strip = area.detail.strip
        left = next(left for left, tab in strip.places() if tab == "Config")
        await pilot.press(await letter_at(strip.region.x + left - 1, strip.region.y))
        await wait_until(pilot, lambda: strip.current == "Config" and area.detail.has_focus_within)
        await pilot.press(await letter_at(*area.pane.table.region.offset))
        await wait_until(pilot, lambda: area.pane.table.has_focus)
        letter = await letter_at(strip.region.x + left - 1, strip.region.y)
        await pilot.click(f"#jump-{letter}")
        await wait_until(pilot, lambda: area.detail.has_focus_within)
        await pilot.press("ctrl+o", "escape")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)
