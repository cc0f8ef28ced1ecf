"""The menu of an object at its place: by mouse and by key, from the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.tui.desk import desktop, screen, wait_until
from textual.pilot import Pilot

from cloudtui import menus
from cloudtui.app import CloudtuiApp
from cloudtui.dialogs.context_menu import ContextMenu
from cloudtui.widgets.choices import Choices
from cloudtui.widgets.table import RIGHT, Table
from cloudtui_engine.records.run import Run


def menu_of(app: CloudtuiApp) -> Choices | None:
    """The lines of the open menu, once they are laid out."""
    found = app.screen.query_one(Choices) if isinstance(app.screen, ContextMenu) else None
    return found if found is not None and found.size.height else None


async def right_click(pilot: Pilot[Any], line: int) -> None:
    """On a row of the list."""
    table = pilot.app.screen.query(Table).first()
    await pilot.click(table, offset=(5, line + 1), button=RIGHT)


async def test_a_right_click_opens_the_actions_of_that_row(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        area = app.area
        assert area is not None
        table = area.pane.table
        await right_click(pilot, 2)
        await wait_until(pilot, lambda: menu_of(app))
        menu = menu_of(app)
        assert menu is not None
        assert table.cursor == 2
        wanted = next(one for one in app.here.menus() if one.title == "Run").entries
        assert {(one.value, one.faint) for one in menu.choices} == {(e.action, not e.enabled) for e in wanted}
        assert menu.choices[0].value == "run.resume"
        assert menu.chosen == "run.again"  # it is live: the first that can be done
        assert menu.region.y in {table.region.y + 3, table.region.y + 3 - menu.region.height}
        assert app.screen.region.contains_region(menu.region)
        await pilot.press("escape")
        await wait_until(pilot, lambda: menu_of(app) is None)
        assert table.cursor == 2


async def test_its_key_and_its_lines_carry_out_what_they_say(story: Path) -> None:
    asked: list[tuple[str, str, int]] = []

    class Recorder:
        def perform(self, action: Any, noun: str, selected: list[Any], _arguments: Any) -> None:
            asked.append((action.id, menus.why_not(action, noun, selected), len(selected)))

        def operations_changed(self) -> None:
            """Nothing was begun."""

    async with desktop(story) as (app, pilot):
        app.__dict__["performer"] = Recorder()
        await pilot.press("space", "space", "m")
        await wait_until(pilot, lambda: menu_of(app))
        assert "2 runs" in screen(app)
        await pilot.press("c")
        await wait_until(pilot, lambda: asked)
        assert asked[0][0] == "run.compare"
        assert asked[0][2] == 2
        await right_click(pilot, 3)  # marks stay, and it acts on them
        await wait_until(pilot, lambda: menu_of(app))
        menu = menu_of(app)
        assert menu is not None
        line = next(place for place, one in enumerate(menu.choices) if one.faint)
        await pilot.click(menu, offset=(3, line + 1))
        await wait_until(pilot, lambda: len(asked) == 2)
        assert asked[1][0] == menu.choices[line].value
        assert asked[1][2] == 2


def test_why_not_names_the_one_that_is_not_in_a_state_for_it() -> None:
    from cloudtui.actions import get
    from cloudtui_engine.records.run import RunState

    live = Run("c1", "one", "train", RunState.RUNNING, 1, ("box-1",))
    done = Run("c2", "two", "train", RunState.SUCCEEDED, 1, ("box-1",))
    assert "two is not" in menus.why_not(get("run.stop"), "run", [live, done])
    assert "mark two" in menus.why_not(get("run.compare"), "run", [live])
    assert "select a run" in menus.why_not(get("run.stop"), "model", [live])
