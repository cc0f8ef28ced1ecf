"""How the menu of an object, the line `:`, the log of actions and the letters to jump by look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tui.desk import check, desktop, screen, settle, wait_until
from textual.pilot import Pilot
from textual.widgets import Static

from cloudtui.cli.main import main
from cloudtui.dialogs.action_log import ActionLogScreen
from cloudtui.dialogs.command_line import CommandLine
from cloudtui.dialogs.context_menu import ContextMenu
from cloudtui.dialogs.jump import JumpScreen


def part(app: Any, selector: str) -> str:
    """What is drawn of a widget alone: what lies around it has snapshots of its own."""
    region = app.screen.query_one(selector).region
    lines = screen(app).splitlines()[region.y : region.bottom]
    return "\n".join(line.ljust(region.right)[region.x : region.right].rstrip() for line in lines) + "\n"


async def opened(pilot: Pilot[Any], kind: type, *keys: str) -> None:
    """Press and wait until it stands."""
    await pilot.press(*keys)
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, kind))
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_ways_around(story: Path, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    main(["--home", str(story), "run", "tag", "resnet-base", "best"])
    main(["--home", str(story), "run", "delete", "resnet-kd-50"])
    async with desktop(story, size) as (app, pilot):
        await opened(pilot, ContextMenu, "m")
        check(f"context-menu-{name}", part(app, "#menu"))
        await pilot.press("escape")
        await opened(pilot, CommandLine, "colon", *"run", "space", *"sto")
        line = app.screen
        assert isinstance(line, CommandLine)
        await wait_until(pilot, lambda: line.offers.display)
        await pilot.pause()
        check(f"command-line-{name}", part(app, ".command-line"))
        await pilot.press("p", "space", *"nobody", "enter")
        await wait_until(pilot, lambda: "There is no run" in screen(app))
        check(f"command-line-wrong-{name}", part(app, ".command-line"))
        await pilot.press("escape")
        await opened(pilot, ActionLogScreen, "L")
        await wait_until(pilot, lambda: "run delete" in screen(app))
        check(f"action-log-{name}", part(app, ".action-log"))
        await pilot.press("escape")
        await settle(pilot)
        await opened(pilot, JumpScreen, "ctrl+o")
        await wait_until(pilot, lambda: all(one.region for one in app.screen.query(Static)))
        marks = sorted((one.region.y, one.region.x, one.id) for one in app.screen.query(Static))
        check(f"jump-{name}", "".join(f"{y:3} {x:3} {str(key)[-1]}\n" for y, x, key in marks))
