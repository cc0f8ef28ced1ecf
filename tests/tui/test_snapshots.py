"""Runs, their tabs and what opens over them, as text. Look at the diff, then update the snapshot.

Every area in every state is in `test_area_states`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.desk import SIZES, check, desktop, screen, settle


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_runs_at_every_size(story: Path, size: tuple[int, int]) -> None:
    async with desktop(story, size) as (app, pilot):
        await pilot.press("down")
        await settle(pilot)
        check(f"runs-{size[0]}x{size[1]}", screen(app))


@pytest.mark.parametrize("tab", ["charts", "log", "config", "system", "artifacts"])
async def test_each_tab_on_a_small_screen(story: Path, tab: str) -> None:
    steps = ["charts", "log", "config", "system", "artifacts"].index(tab)
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.press("down", *(["down"] * 2 if tab == "artifacts" else []), "enter", *(["]"] * steps))
        await settle(pilot)
        check(f"tab-{tab}-80x24", screen(app))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_overlays(story: Path, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    async with desktop(story, size) as (app, pilot):
        await pilot.press("f10", "right", "right", "right", "right")
        await settle(pilot)
        check(f"menu-{name}", screen(app))
        await pilot.press("escape", "question_mark")
        await settle(pilot)
        check(f"help-{name}", screen(app))
        await pilot.press("escape", "ctrl+p", *"res")
        await settle(pilot)
        check(f"palette-{name}", screen(app))
        await pilot.press("escape", "s")
        await settle(pilot)
        check(f"confirm-{name}", screen(app))
        await pilot.press("escape", "plus")
        await settle(pilot)
        check(f"train-{name}", screen(app))
