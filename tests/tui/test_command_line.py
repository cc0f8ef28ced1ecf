"""The line `:` on the desktop: it does what keys do, with their questions, and stays where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.tui.desk import desktop, screen, settle, wait_until
from textual.events import Key
from textual.pilot import Pilot

from cloudtui.areas.tabbed import TabbedDetail
from cloudtui.dialogs.command_line import CommandLine
from cloudtui.dialogs.confirm import ConfirmDialog

KEYS = {":": "colon"}


async def type_line(pilot: Pilot[Any], text: str) -> CommandLine:
    """Open the line and type; a key each would take the test seconds."""
    await pilot.press("colon")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, CommandLine))
    line = pilot.app.screen
    assert isinstance(line, CommandLine)
    await wait_until(pilot, lambda: line.input.has_focus)
    line.input.insert_text_at_cursor(text)
    await pilot.pause()
    return line


async def test_a_typed_command_is_the_action(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        catalog = app.bridge.catalog
        await type_line(pilot, "run tag resnet-base good")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "good" in catalog.runs.find("resnet-base").tags)
        await type_line(pilot, "run stop resnet-kd-50")
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))  # the question of the key `s`
        assert "resnet-kd-50" in screen(app)
        await pilot.press("escape")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)
        line = await type_line(pilot, "")
        await wait_until(pilot, lambda: line.known.history)
        await pilot.press("up", "enter")
        await wait_until(pilot, lambda: line.input.value == "run stop resnet-kd-50")


async def test_a_wrong_word_is_marked_and_nothing_typed_fast_is_lost(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        line = await type_line(pilot, "run tag nobody good")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "There is no run" in screen(app))
        assert (line._mark.at, line._mark.length) == (8, len("nobody"))
        assert app.screen is line
        await pilot.press("escape")
        line = await type_line(pilot, "run stop ")  # nothing is wrong: it says by itself what may follow
        await wait_until(pilot, lambda: "resnet-base" in [one.value for one in line.offers.choices])
        await pilot.press("escape")
        line = await type_line(pilot, "run sotp it ")
        await wait_until(pilot, lambda: line._mark.at == 4)
        assert line._mark.length == len("sotp")
        await pilot.press("escape")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)
        for one in ":models":
            app.post_message(Key(KEYS.get(one, one), one))
        app.post_message(Key("enter", None))
        await wait_until(pilot, lambda: app.current == "models")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)


async def test_what_prints_leads_there(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        line = await type_line(pilot, "run logs resn")
        await wait_until(pilot, lambda: [one.value for one in line.offers.choices][:1] == ["resnet-kd-50"])
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: app.area and app.area.pane.table.cursor_key)
        await settle(pilot)
        area = app.area
        assert area is not None
        assert area.selected()[0].name == "resnet-kd-50"
        assert isinstance(area.detail, TabbedDetail)
        assert area.detail.strip.current == "Log"
        await type_line(pilot, "models")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.current == "models")
        await type_line(pilot, "run list --filter status:failed")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.current == "runs" and app.area and app.area.request.filter)
        await settle(pilot)
        assert [run.name for run in area.listing.records] == ["adult-mlp-7"] if area.listing else False
