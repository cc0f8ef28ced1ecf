"""Saved views: kept by a key, found by their name, on the screen and on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.tui.desk import desktop, screen, settle, wait_until
from textual.widgets import Input

from cloudtui.cli.main import main
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.form import FormDialog
from cloudtui.dialogs.palette import Found, Palette, matches
from cloudtui.widgets.query_line import QueryLine
from cloudtui_engine.catalog import Catalog, views
from cloudtui_engine.paths import Paths


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the screen starts a process."""
    monkeypatch.setattr("cloudtui_engine.operations.ensure_engine", lambda _paths: None)


def kept(home: Path) -> dict[str, str]:
    catalog = Catalog.open(Paths(home))
    found = {one.name: one.filter for one in views.views(catalog)}
    catalog.close()
    return found


def keep(home: Path, **wanted: str) -> None:
    catalog = Catalog.open(Paths(home))
    for name, text in wanted.items():
        views.save(catalog, name, text)
    catalog.close()


async def test_what_is_listed_is_saved_replaced_and_deleted(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"status:finished", "enter")
        await settle(pilot)
        await pilot.press("V")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        await pilot.press(*"[red]over", "enter")
        await wait_until(pilot, lambda: "View: [red]over" in screen(app))
        assert kept(story) == {"[red]over": "status:finished sort:-created"}

        await pilot.press("slash", *" on:local", "enter")
        await wait_until(pilot, lambda: "on:local ─" in screen(app))
        await pilot.press("V")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        await pilot.press(*"[red]over", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await wait_until(pilot, lambda: "status:finished sort:-created" in screen(app))
        await pilot.press("y")
        await wait_until(pilot, lambda: "View: [red]over" in screen(app))
        assert kept(story) == {"[red]over": "status:finished on:local sort:-created"}

        app.perform("view.delete")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await wait_until(pilot, lambda: "“[red]over”" in screen(app))
        await pilot.press("y")
        await wait_until(pilot, lambda: "/ status:finished on:local" in screen(app))
        assert kept(story) == {}


async def test_a_view_is_found_in_the_line_and_in_the_palette(story: Path) -> None:
    keep(story, **{"best of all": "status:finished sort:-name", "live ones": "status:live"})
    async with desktop(story) as (app, pilot):
        await pilot.press("slash")
        await wait_until(pilot, lambda: app.query_one(QueryLine).known.views)
        await pilot.press(*"of al")
        await wait_until(pilot, lambda: "View: best of all" in screen(app))
        await pilot.press("down", "enter")
        assert app.query_one(QueryLine).query_one(Input).value == "status:finished sort:-name"
        await pilot.press("enter")
        await wait_until(pilot, lambda: "View: best of all ─" in screen(app))
        await pilot.press("1", "ctrl+p")
        await wait_until(pilot, lambda: isinstance(app.screen, Palette))
        await pilot.press(*"live ones")
        await wait_until(pilot, lambda: "View: live ones" in screen(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.current == "runs" and "View: live ones ─" in screen(app))
        await pilot.press("colon")
        await wait_until(pilot, lambda: len(app.screen_stack) > 1)
        await pilot.press(*"run list --view 'best of all'", "enter")
        await wait_until(pilot, lambda: "View: best of all ─" in screen(app))


def test_the_command_line_has_them_too(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str, status: int = 0) -> str:
        assert main([*words, "--home", str(story)]) == status
        return capsys.readouterr().out

    def read(*words: str, status: int = 0) -> Any:
        return json.loads(said(*words, "--json", status=status))

    assert "No views." in said("view", "list")
    view = {"name": "the best", "filter": "status:finished sort:-name", "columns": []}
    assert read("view", "save", "the best", "--filter", view["filter"]) == view
    assert read("view", "save", "the best", "--filter", "tag:a", status=4)["error"]["code"] == "exists"
    assert read("view", "list") == [view]
    names = [run["name"] for run in read("run", "list", "--view", "the best")]
    assert names == sorted(names, key=str.lower, reverse=True)
    assert 0 < len(read("run", "list", "--view", "the best", "--filter", "on:local")) < len(names)
    assert "status:finished sort:-name" in said("view", "delete", "the best"), "so it can be had back"
    assert read("run", "list", "--view", "the best", status=3)["error"]["code"] == "not_found"


def test_a_view_stands_among_the_actions_as_well_as_its_name_fits() -> None:
    named = [Found("view:status:live", "View: stop watch", "view")]
    known = [Found("action:run.stop", "Stop", "Run  s"), Found("evaluation:", "Evaluate", "View  6")]
    assert matches("stop", [*named, *known])[0].text == "Stop"
    assert matches("view st", [*named, *known])[0].text == "View: stop watch"
