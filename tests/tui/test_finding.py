"""Looking for runs: the filter line by keyboard and mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.desk import check, desktop, screen, settle, wait_until
from textual.events import Key
from textual.widgets import Input

from cloudtui.app import CloudtuiApp
from cloudtui.widgets.query_line import QueryLine
from cloudtui.widgets.table import Table
from cloudtui_engine.catalog import Catalog, finding
from cloudtui_engine.paths import Paths


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the screen starts a process."""
    monkeypatch.setattr("cloudtui.handlers.session.Session.ensure_engine", lambda _self: None)
    monkeypatch.setattr("cloudtui_engine.operations.ensure_engine", lambda _paths: None)


def typed(app: CloudtuiApp) -> str:
    """What stands in the filter line."""
    return str(app.query_one(QueryLine).query_one(Input).value)


def learned(app: CloudtuiApp) -> bool:
    """The words of the catalog have come."""
    return bool(app.query_one(QueryLine).known.vocabulary.params)


def offered(app: CloudtuiApp) -> list[str]:
    """The lines below it."""
    offers = app.query_one(QueryLine).offers
    return [one.text for one in offers.choices] if offers.display else []


async def test_tab_completes_names_and_values(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"sta")
        await wait_until(pilot, lambda: offered(app) == ["status:", "started"])
        await pilot.press("tab", *"fa")
        await wait_until(pilot, lambda: offered(app) == ["failed"])
        assert "cannot be read" not in screen(app), "it is on its way"
        await pilot.press("tab")
        await wait_until(pilot, lambda: "Runs 1" in screen(app))
        assert typed(app) == "status:failed "
        assert offered(app) == []
        await pilot.press("enter")
        await settle(pilot)
        assert "/ status:failed" in screen(app)
        assert isinstance(app.focused, Table)


async def test_an_order_in_the_filter_is_seen_in_the_header_and_goes_with_a_click_there(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"status:finished sort:-name", "enter")
        await wait_until(pilot, lambda: "Name↓" in screen(app))
        await settle(pilot)
        names = [row.cells[0][0] for row in app.query_one(Table).rows]
        assert names == sorted(names, key=str.lower, reverse=True)
        await pilot.click(Table, offset=(app.query_one(Table).size.width - 4, 0))
        await wait_until(pilot, lambda: "Cost $↓" in screen(app))
        assert "/ status:finished ─" in screen(app)


async def test_keys_in_a_burst_are_heeded_in_their_order(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash")
        await wait_until(pilot, lambda: learned(app))
        for key in (*"sta", "tab", *"fa", "tab", "enter"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: not app.query(QueryLine))
        await settle(pilot)
        assert "/ status:failed ─" in screen(app)


async def test_what_the_catalog_knows_is_offered(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash")
        await wait_until(pilot, lambda: learned(app))
        await pilot.press(*"param")
        await wait_until(pilot, lambda: {"param.lr", "param.epochs"} <= set(offered(app)))
        await pilot.press("escape", "slash", *"param.lr ")
        await wait_until(pilot, lambda: "<=" in offered(app))
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: offered(app) == ["0.003"])
        assert typed(app) == "param.lr < "
        await pilot.press("escape", "slash", *"dataset:")
        await wait_until(pilot, lambda: offered(app) == ["fashion-mnist"])
        await pilot.press("escape", "slash", *"on:box")
        await wait_until(pilot, lambda: offered(app) == ["box-1", "box-2", "box-3"])


async def test_the_mouse_takes_an_offer(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"status:")
        await wait_until(pilot, lambda: len(offered(app)) > 4 and typed(app) == "status:")
        await settle(pilot)
        check("finding-completion-120x30", screen(app))
        await pilot.click(app.query_one(QueryLine).offers, offset=(3, 1))
        await wait_until(pilot, lambda: "Runs 3" in screen(app))
        assert typed(app) == "status:finished "
        assert app.query_one(QueryLine).has_focus_within


async def test_completion_at_80x24(story: Path) -> None:
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.press("slash")
        await wait_until(pilot, lambda: learned(app))
        await pilot.press(*"status:failed and par", "down", "down")
        await wait_until(pilot, lambda: len(offered(app)) == 3 and "/ status:failed and par" in screen(app))
        await settle(pilot)
        check("finding-completion-80x24", screen(app))


async def test_down_goes_through_the_offers_and_escape_out_of_them(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"status:")
        await wait_until(pilot, lambda: offered(app)[:2] == ["live", "finished"])
        await pilot.press("down", "down", "up", "enter")
        assert typed(app) == "status:live "
        await pilot.press("down", "down")
        assert offered(app)[:2] == ["and", "or"]
        await pilot.press("escape")
        assert offered(app) == []
        assert typed(app) == "status:live "
        await pilot.press("escape")
        await wait_until(pilot, lambda: not app.query(QueryLine))
        await wait_until(pilot, lambda: "Runs 6" in screen(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 30)], ids="{0[0]}x{0[1]}".format)
async def test_what_is_wrong_is_marked_under_the_character(story: Path, size: tuple[int, int]) -> None:
    async with desktop(story, size) as (app, pilot):
        await pilot.press("slash", *"vit speed > 5")
        why = "cannot be read: there is no field 'speed'; try metric."
        await wait_until(pilot, lambda: why in screen(app))
        lines = screen(app).splitlines()
        line = next(i for i, text in enumerate(lines) if "vit speed > 5" in text)
        assert lines[line + 1].index("^") == lines[line].index("speed")
        assert "resnet-base" in screen(app), "the list stays as it was"
        check(f"finding-wrong-{size[0]}x{size[1]}", screen(app))
        await pilot.press("enter")
        assert app.query(QueryLine), "what cannot be read is not kept"
        await pilot.press(*["backspace"] * 10, "enter")
        await wait_until(pilot, lambda: not app.query(QueryLine))
        await wait_until(pilot, lambda: "Runs 1" in screen(app))


async def test_the_mark_of_a_long_line_is_where_its_character_is_seen(story: Path) -> None:
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.press("slash", *("tag:" + "a" * 60 + " speed > 5"))
        await wait_until(pilot, lambda: "^" in screen(app) and "speed > 5" in screen(app))
        lines = screen(app).splitlines()
        row = next(i for i, shown in enumerate(lines) if "speed > 5" in shown)
        assert lines[row + 1].index("^") == lines[row].index("speed")
        assert "there is no field" in lines[row + 1]


async def test_a_click_elsewhere_keeps_the_last_that_could_be_read(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"status:failed")
        await wait_until(pilot, lambda: "Runs 1" in screen(app))
        await pilot.press(*" and")
        await wait_until(pilot, lambda: "^" in screen(app))
        await pilot.click(Table, offset=(10, 2))
        await wait_until(pilot, lambda: not app.query(QueryLine))
        assert "/ status:failed" in screen(app)


async def test_filters_are_remembered_over_a_restart(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        for text in ("status:failed", "vit", "status:failed"):
            await pilot.press("slash", *text, "enter")
            await wait_until(pilot, lambda: not app.query(QueryLine))
            await settle(pilot)
            await pilot.press("escape")
            await settle(pilot)
    async with desktop(story) as (app, pilot):
        await pilot.press("slash")
        await wait_until(pilot, lambda: app.query_one(QueryLine).known.history)
        await pilot.press("up")
        assert offered(app) == ["status:failed", "vit"]
        await pilot.press("down", "enter")
        assert typed(app) == "vit"
        await wait_until(pilot, lambda: "Runs 1" in screen(app))
        await pilot.press("ctrl+u", *"fail", "ctrl+r")
        assert offered(app) == ["status:failed"]
        await pilot.press("enter", "enter")
        await wait_until(pilot, lambda: "/ status:failed" in screen(app))


def test_the_history_keeps_fifty_and_none_twice(story: Path) -> None:
    catalog = Catalog.open(Paths(story))
    for i in range(60):
        finding.remember(catalog, f"x{i}")
    for text in ("x30", "  ", "x59 "):
        finding.remember(catalog, text)
    kept = finding.history(catalog)
    catalog.close()
    assert kept[:3] == ["x59", "x30", "x58"]
    assert len(kept) == len(set(kept)) == 50


async def test_minus_goes_to_the_area_before_and_back(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("minus")
        assert app.current == "runs", "there was none before"
        await pilot.press("5")
        await settle(pilot)
        for place in ("runs", "models"):
            await pilot.press("minus")
            await settle(pilot)
            assert app.current == place
