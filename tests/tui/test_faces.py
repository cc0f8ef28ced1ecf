"""Each action of the registry can be had by each face that it declares: its keys, its menu, its command.

The desktop is the real one; what would carry the actions out is replaced by one that writes down what it is
asked for, on records of a seeded home that the action's own conditions allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.support import seed, seed_fleet
from tests.tui.desk import desktop, screen, settle, wait_until
from textual.pilot import Pilot

from cloudtui import actions, menus
from cloudtui.actions import CLI, DESKTOP, Action
from cloudtui.app import CloudtuiApp
from cloudtui.cli.parser import parse
from cloudtui.dialogs.menu import MenuScreen
from cloudtui.handlers import resolve
from cloudtui.widgets.choices import Choices
from cloudtui.widgets.menu_bar import MenuBar
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.runs import RunQuery
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance

AREA_OF = {
    "instance": "instances", "dataset": "datasets", "run": "runs", "model": "models", "settings": "settings",
    "budget": "cost",
}  # fmt: skip
SIZE = (160, 50)
KEYS = {"?": "question_mark", "/": "slash", "$": "dollar_sign"}


class Recorder:
    """Stands where actions are carried out, and writes down which were asked for, and on what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def perform(
        self, action: Action, noun: str, selected: Sequence[Any], _arguments: Mapping[str, Any]
    ) -> None:
        """What `Performer` would be asked; what is not possible it would refuse."""
        assert menus.possible(action, noun, selected), action.id
        self.asked.append((action.id, tuple(record.id for record in selected)))

    def operations_changed(self) -> None:
        """Nothing was begun."""


def of_desktop(noun: str) -> list[Action]:
    """What is carried out by a handler; what the screen does by itself has tests of its own."""
    found = [one for one in actions.ACTIONS if DESKTOP in one.faces and one.noun == noun and one.handler]
    return sorted(found, key=lambda action: action.when == "run.deleted")  # at last: it wants the trash


async def choose_for(app: CloudtuiApp, pilot: Pilot[Any], action: Action) -> tuple[str, ...]:
    """Put the cursor on a record that the action is possible on, or mark as many as it wants."""
    area = app.area
    assert area is not None
    assert area.listing is not None
    table = area.pane.table
    table.unmark()
    if action.when == "run.deleted" and "Trash" not in screen(app):
        await pilot.press("T")
        await settle(pilot)
    if not menus.takes_target(action):
        return tuple(record.id for record in area.selected())
    wanted = 2 if action.arguments[0].many else 1
    allowed = (some for some in combinations(area.listing.records, wanted)
               if menus.possible(action, action.noun, some))  # fmt: skip
    records = next(allowed, None)
    assert records, f"No record of the seeded home allows {action.id}: give it one."
    for record in records:
        assert table.select(record.id)
        if wanted > 1:
            table.action_mark()
    await wait_until(pilot, lambda: {one.id for one in area.selected()} == {one.id for one in records})
    return tuple(record.id for record in area.selected())


@pytest.fixture
def home(shelf: Path) -> Path:
    """A home with something in every state, the trash included."""
    with closing(Catalog.open(Paths(shelf))) as catalog:
        seed_fleet.rented(catalog)
        catalog.instances.add(Instance("cown00000cluster", "cluster", "ssh", Address("login", via="ssh")))
        catalog.runs.delete(catalog.runs.list(RunQuery(filter="status:succeeded"))[-1].id, seed.NOW)
    return shelf


@pytest.mark.parametrize("noun", AREA_OF)
async def test_keys_ask_for_their_action(home: Path, noun: str) -> None:
    async with desktop(home, SIZE, first=AREA_OF[noun]) as (app, pilot):
        recorder = Recorder()
        app.__dict__["performer"] = recorder
        for action in of_desktop(noun):
            for key in action.keys:
                chosen = await choose_for(app, pilot, action)
                recorder.asked.clear()
                await pilot.press(KEYS.get(key, key))
                await wait_until(pilot, lambda: recorder.asked)
                assert recorder.asked == [(action.id, chosen)], key


@pytest.mark.parametrize("noun", AREA_OF)
async def test_the_mouse_reaches_every_action_in_its_menu(home: Path, noun: str) -> None:
    async with desktop(home, SIZE, first=AREA_OF[noun]) as (app, pilot):
        recorder = Recorder()
        app.__dict__["performer"] = recorder
        for action in of_desktop(noun):
            chosen = await choose_for(app, pilot, action)
            recorder.asked.clear()
            await click_in_menu(app, pilot, action)
            await wait_until(pilot, lambda: recorder.asked)
            assert recorder.asked == [(action.id, chosen)]


async def test_the_mouse_reaches_what_belongs_to_no_area(home: Path) -> None:
    async with desktop(home, SIZE) as (app, pilot):
        recorder = Recorder()
        app.__dict__["performer"] = recorder
        for noun in sorted({action.noun for action in actions.ACTIONS} - set(AREA_OF)):
            for action in of_desktop(noun):
                recorder.asked.clear()
                await click_in_menu(app, pilot, action)
                await wait_until(pilot, lambda: recorder.asked)
                assert recorder.asked[0][0] == action.id


async def click_in_menu(app: CloudtuiApp, pilot: Pilot[Any], action: Action) -> None:
    """Open the menu that has the action and click on its line."""
    shown = app.here.menus()
    index, line = next(
        (index, line)
        for index, menu in enumerate(shown)
        for line, entry in enumerate(menu.entries)
        if entry.action == action.id
    )
    bar = app.query_one(MenuBar)
    await pilot.click(MenuBar, offset=(bar.left_of(index) + 1, 0))
    await wait_until(pilot, lambda: isinstance(app.screen, MenuScreen))
    await settle_menu(app, pilot)
    await pilot.click(app.screen.query_one(Choices), offset=(3, line + 1))  # below its border
    await wait_until(pilot, lambda: len(app.screen_stack) == 1)


async def settle_menu(app: CloudtuiApp, pilot: Pilot[Any]) -> None:
    """Its lines are laid out."""
    await wait_until(pilot, lambda: app.screen.query_one(Choices).size.height > 0)


async def test_what_is_deleted_is_in_the_trash_and_comes_back(story: Path) -> None:
    async with desktop(story, SIZE) as (app, pilot):
        area = app.area
        assert area is not None
        await pilot.press("slash", *"name:resnet-base", "enter")
        await settle(pilot)
        await pilot.press("d")
        await wait_until(pilot, lambda: len(app.screen_stack) > 1)
        await pilot.press("y")
        await wait_until(pilot, lambda: "Nothing fits" in screen(app))
        await pilot.press("escape", "T")
        await settle(pilot)
        assert "Trash" in screen(app)
        assert any(run.name == "resnet-base" for run in area.listing.records)
        assert area.select("") is None
        await pilot.press("u")
        await wait_until(pilot, lambda: "resnet-base" not in {run.name for run in area.listing.records})
        await pilot.press("escape")
        await settle(pilot)
        assert "resnet-base" in {run.name for run in area.listing.records}


@pytest.mark.parametrize(
    "action", [one for one in actions.ACTIONS if CLI in one.faces], ids=lambda action: action.id
)
def test_its_command_tells_of_itself(action: Action, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*action.command, "--help"])
    assert not ended.value.code
    told = " ".join(capsys.readouterr().out.split())
    assert " ".join(action.command) in told
    for argument in action.arguments:
        assert (argument.option or argument.metavar or argument.name.upper()) in told, argument.name
    assert callable(resolve(action))
