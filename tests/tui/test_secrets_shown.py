"""A secret that was given as a setting, or to a job, is on no face: no output, copy, picture, list or log."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import a_run, open_catalog
from tests.tui.desk import desktop, screen, settle, wait_until
from textual.widgets import Input

from cloudtui import panel_picture
from cloudtui.app import CloudtuiApp
from cloudtui.cli.main import main

CANARY = "cAnAry7f3a"
HOOK = f"https://u:{CANARY}@hooks.example/T0/{CANARY}"
COMMAND = f"curl -H 'Authorization: Bearer {CANARY}' https://hooks.example/"
SCRIPT = ["python", "train.py", "--api-key", CANARY, f"--url=https://me:{CANARY}@h/x"]


def test_a_setting_that_is_a_secret_is_in_its_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Read from a pipe it is not even among the arguments, which everybody on this machine can see."""
    home = tmp_path / "home"
    open_catalog(home).close()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{HOOK}\n"))
    commands = [
        ("settings", "set", "notify.webhook", "-"), ("settings", "set", "notify.command", COMMAND),
        ("settings", "get", "notify.webhook"), ("settings", "get", "notify.command"), ("settings", "list"),
        ("action", "list"),
    ]  # fmt: skip
    for command in commands:
        assert main(["--home", str(home), *command]) == 0
        assert main(["--home", str(home), *commands[-1], "--json"]) == 0
        if command[1] != "set":
            assert main(["--home", str(home), *command, "--json"]) == 0
    said = capsys.readouterr()
    assert "settings set notify.webhook -" in said.out
    assert CANARY not in said.out + said.err
    with closing(open_catalog(home)) as catalog:
        assert catalog.settings.get("notify.webhook") == HOOK
        catalog.settings.unset("notify.command")  # the user's own line, which has to be there to be run
    holders = [
        file.name for file in home.rglob("*") if file.is_file() and CANARY in file.read_text("latin-1")
    ]
    assert holders == ["webhook"]


async def test_no_picture_copy_notice_or_list_has_one(story: Path) -> None:
    with closing(open_catalog(story)) as catalog:
        run = a_run("canary", kind="script", spec={"command": SCRIPT, "env": {"WANDB_API_KEY": CANARY}})
        catalog.runs.create(run, [catalog.instances.ensure_local().id])
        catalog.settings.set("notify.command", COMMAND)
    async with desktop(story, (160, 50)) as (app, pilot):

        async def look(*keys: str, shows: str = "") -> None:
            await pilot.press(*keys)
            await wait_until(pilot, lambda: shows in screen(app))
            nowhere(app)

        await look("0", shows="Theme")
        assert app.area is not None
        app.area.select("notify.webhook")
        await settle(pilot)
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        app.screen.query_one(Input).value = HOOK
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 1)
        await look("y", shows="settings get notify.webhook")
        assert app.bridge.catalog.settings.get("notify.webhook") == HOOK
        await look("L", shows="settings set notify.webhook")
        await look("y", "escape")
        app.here.open("runs", run.id)
        await settle(pilot)
        await look("enter", "]", "]", shows="--api-key")


def nowhere(app: CloudtuiApp) -> None:
    """Not on the screen, in a picture of the panel, in a notice or in the clipboard."""
    assert CANARY not in panel_picture.taken(app).svg
    assert CANARY not in screen(app) + app.clipboard
    assert CANARY not in "".join(f"{one.title} {one.message}" for one in app._notifications)
