"""Settings, keys, being told and read-only on the desktop, by key and by mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.engine.catalog.helpers import create, finish, open_catalog
from tests.support import seed
from tests.tui.desk import SIZES, check, desktop, screen, settle, wait_until
from textual.pilot import Pilot

from cloudtui import actions
from cloudtui.app import CloudtuiApp
from cloudtui.told import LEFT, SEEN, osc9
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.run import RunState

ESC = "\x1b"


def kept(app: CloudtuiApp, key: str) -> Any:
    return app.bridge.catalog.settings.get(key)


async def go_to(pilot: Pilot[int], app: CloudtuiApp, key: str) -> None:
    await pilot.press("0")
    await settle(pilot)
    assert app.area is not None
    app.area.select(key)
    await settle(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_area(story: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    some = tuple(actions.get(name) for name in ("run.again", "run.stop", "model.export", "home.help"))
    monkeypatch.setattr(actions, "bindable", lambda: some)  # an action more is no other screen
    catalog = open_catalog(story)
    catalog.settings.set("keys.run.stop", ["a"])
    catalog.settings.set("notify.webhook", "https://hooks.example/T0/secret")
    catalog.close()
    async with desktop(story, size) as (app, pilot):
        await go_to(pilot, app, "notify.webhook")
        text = screen(app)
        assert "secret" not in text
        check(f"settings-{size[0]}x{size[1]}", text)


async def test_a_theme_is_chosen_by_key_and_kept(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await go_to(pilot, app, "desktop.theme")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "16-colours" in screen(app) and len(app.screen_stack) == 2)
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: app.theme == "cloudtui-light")
        assert kept(app, "desktop.theme") == "light"
    async with desktop(story) as (app, _):
        assert app.theme == "cloudtui-light"


async def test_a_choice_is_clicked(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await go_to(pilot, app, "desktop.theme")
        await pilot.press("e")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.click("#choices", offset=(3, 3))
        await wait_until(pilot, lambda: app.theme == "cloudtui-16-colours")
        await settle(pilot)
        assert "Settings" in screen(app)


async def test_what_is_wrong_is_said_beside_the_field(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await go_to(pilot, app, "keys.run.stop")
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("backspace", "a")
        await wait_until(pilot, lambda: "A is run.again already." in screen(app))
        await pilot.press("b", "c")
        await wait_until(pilot, lambda: "keys.run.stop cannot be 'abc'." in screen(app))
        await pilot.press("escape")
        assert kept(app, "keys.run.stop") is None


async def test_keys_of_the_user_are_those_of_the_desktop(story: Path) -> None:
    catalog = open_catalog(story)
    catalog.settings.set("keys.run.again", ["f7"])
    catalog.settings.set("keys.home.help", ["f8"])
    catalog.settings.set("keys.home.doctor", ["f9"])
    catalog.close()
    async with desktop(story) as (app, pilot):
        assert "f7 again" in screen(app)
        await pilot.press("question_mark")
        await pilot.pause()
        assert len(app.screen_stack) == 1, "it was given away"
        await pilot.press("f8")
        await wait_until(pilot, lambda: "Keys: Runs" in screen(app))
        assert "f7" in screen(app)
        await pilot.press("escape")
        await pilot.press("f7")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("escape")


async def test_keys_changed_on_the_desktop_are_there_at_once_and_reset(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await go_to(pilot, app, "keys.home.help")
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("backspace", *"f6", "enter")
        await wait_until(pilot, lambda: "f6 help" in screen(app))
        await pilot.press("f6")
        await wait_until(pilot, lambda: "Keys: Settings" in screen(app))
        await pilot.press("escape", "backspace")
        await wait_until(pilot, lambda: "? help" in screen(app))


async def test_a_read_only_desktop_changes_nothing_and_says_so(story: Path) -> None:
    async with desktop(story, read_only=True) as (app, pilot):
        before = app.bridge.catalog.topics()
        await pilot.press("plus")
        await wait_until(pilot, lambda: "This desktop is read-only." in screen(app))
        with pytest.raises(RefusedError, match="read-only"):
            app.bridge.catalog.settings.set("desktop.theme", "light")
        app.action_toggle_theme()
        await settle(pilot)
        assert app.theme == "cloudtui-light"
        await go_to(pilot, app, "desktop.theme")
        await pilot.press("enter")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert app.bridge.catalog.topics() == before


async def test_read_only_by_a_setting_can_be_taken_back_there(story: Path) -> None:
    catalog = open_catalog(story)
    catalog.settings.set("desktop.read_only", value=True)
    catalog.close()
    async with desktop(story) as (app, pilot):
        await pilot.press("plus")
        await wait_until(pilot, lambda: "Settings, Read only" in screen(app))
        await go_to(pilot, app, "desktop.read_only")
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: kept(app, "desktop.read_only") is False)
        await wait_until(pilot, lambda: app.bridge.catalog.sealed is None)


async def test_what_happens_is_told_once(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(CloudtuiApp, "write_out", lambda _app, text: written.append(text))
    other = open_catalog(story)
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: isinstance(kept(app, SEEN), int))
        run = create(other, "night-run")
        assert other.runs.move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED)
        assert other.runs.move(
            run.id, 1, RunState.FAILED, expected=RunState.STAGING, reason=f"Out of{ESC}]9;x\x07 memory"
        )
        await wait_until(pilot, lambda: "night-run failed" in screen(app))
        await wait_until(pilot, lambda: len(written) == 2)
        assert written == ["\x07", f"{ESC}]9;cloudtui: night-run failed: Out of memory\x07"]
        await settle(pilot)
        assert len(written) == 2
    other.close()


async def test_each_way_can_be_switched_off(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(CloudtuiApp, "write_out", lambda _app, text: written.append(text))
    other = open_catalog(story)
    other.settings.set("notify.toast", value=False)
    other.settings.set("notify.bell", value=False)
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: isinstance(kept(app, SEEN), int))
        finish(other, create(other, "night-run").id)
        await wait_until(pilot, lambda: len(written) == 1)
        await settle(pilot)
        assert written[0].startswith(f"{ESC}]9;")
        assert "night-run finished" not in screen(app)
    other.close()


def test_no_text_gets_out_of_a_notification() -> None:
    text = osc9(f"4;1;50{ESC}\\ {ESC}]52;c;x\x07\x9c\n\x07 end")
    assert text.startswith(f"{ESC}]9;cloudtui: ")
    assert text.count(ESC) == 1
    assert text.count("\x07") == 1
    assert "\x9c" not in text
    assert "\n" not in text


def away(home: Path) -> None:
    """The desktop was closed; then things happened."""
    catalog = open_catalog(home)
    catalog.settings.set(SEEN, catalog.notices.place())
    catalog.settings.set(LEFT, seed.NOW - 3 * 3600)
    for name, state, reason in (
        ("vit-small", RunState.SUCCEEDED, ""),
        ("resnet-kd", RunState.FAILED, "The loss was not finite for 10 steps in a row at step 420."),
        ("news-bag", RunState.LOST, "The host was restarted while the job ran."),
    ):
        run = create(catalog, name)
        assert catalog.runs.move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED)
        assert catalog.runs.move(run.id, 1, RunState.STARTING, expected=RunState.STAGING)
        assert catalog.runs.move(run.id, 1, state, expected=RunState.STARTING, reason=reason)
    with catalog.write() as db:
        db.execute("UPDATE event SET t = ? WHERE subject LIKE 'notice:%'", (seed.NOW - 1800,))
    catalog.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_page_of_what_happened(story: Path, size: tuple[int, int]) -> None:
    away(story)
    async with desktop(story, size) as (app, pilot):
        await wait_until(pilot, lambda: "Since you left" in screen(app))
        await pilot.pause()
        check(f"since-{size[0]}x{size[1]}", screen(app))


async def test_the_page_goes_and_can_be_seen_again_and_comes_once(story: Path) -> None:
    away(story)
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: "Since you left, 3h ago" in screen(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)
        app.perform("home.since")
        await wait_until(pilot, lambda: "? lost" in screen(app))
        await pilot.press("escape")
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: not app.told._reader.busy)
        assert len(app.screen_stack) == 1


async def test_nothing_is_told_of_at_the_first_start(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: isinstance(kept(app, SEEN), int))
        assert len(app.screen_stack) == 1


async def test_quitting_asks_where_the_user_wants_it(story: Path) -> None:
    catalog = open_catalog(story)
    catalog.settings.set("desktop.confirm_quit", value=True)
    catalog.close()
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: app.surroundings.overview.live_runs)
        await pilot.press("q")
        await wait_until(pilot, lambda: "Close the desktop?" in screen(app))
        await pilot.press("escape")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)
