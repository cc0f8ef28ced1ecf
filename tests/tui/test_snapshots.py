"""Every area in every state, as text. Look at the diff; if the screen got better, update the snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import seed
from tests.tui.desk import SIZES, check, desktop, screen, settle

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import LinkState

AREAS = {"instances": "1", "datasets": "2", "runs": "3", "models": "5"}
JUDGED = {"datasets": "2", "models": "5", "evaluation": "6", "compression": "7"}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_runs_at_every_size(story: Path, size: tuple[int, int]) -> None:
    async with desktop(story, size) as (app, pilot):
        await pilot.press("down")
        await settle(pilot)
        check(f"runs-{size[0]}x{size[1]}", screen(app))


@pytest.mark.parametrize("area", AREAS)
async def test_each_area_with_something_in_it(story: Path, area: str) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press(AREAS[area], "down", "down", "down")
        await settle(pilot)
        check(f"live-{area}", screen(app))


@pytest.mark.parametrize("area", AREAS | JUDGED)
async def test_each_area_empty(tmp_path: Path, area: str) -> None:
    async with desktop(tmp_path / "home") as (app, pilot):
        await pilot.press((AREAS | JUDGED)[area])
        await settle(pilot)
        check(f"empty-{area}", screen(app))


@pytest.mark.parametrize("tab", ["charts", "log", "config", "system", "artifacts"])
async def test_each_tab_on_a_small_screen(story: Path, tab: str) -> None:
    steps = ["charts", "log", "config", "system", "artifacts"].index(tab)
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.press("down", *(["down"] * 2 if tab == "artifacts" else []), "enter", *(["]"] * steps))
        await settle(pilot)
        check(f"tab-{tab}-80x24", screen(app))


async def test_stale(story: Path) -> None:
    catalog = Catalog.open(Paths(story))
    catalog.runs.set_stale([run.id for run in catalog.runs.list() if run.status == "running"], seed.NOW - 260)
    for machine in catalog.instances.list():
        catalog.instances.update(machine.id, link_state=LinkState.SILENT, seen_at=seed.NOW - 300)
    catalog.close()
    async with desktop(story) as (app, pilot):
        check("stale-runs", screen(app))
        await pilot.press("1")
        await settle(pilot)
        check("stale-instances", screen(app))


async def test_offline_all_is_there(story: Path) -> None:
    catalog = Catalog.open(Paths(story))
    for machine in catalog.instances.list():
        catalog.instances.update(machine.id, link_state=LinkState.DOWN)
    catalog.close()
    async with desktop(story) as (app, pilot):
        check("offline-runs", screen(app))
        await pilot.press("1")
        await settle(pilot)
        check("offline-instances", screen(app))


async def test_a_catalog_that_fails_says_why_and_what_to_do(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise CatalogError("The catalog is damaged: page 7.", "Restore a backup: cloudtui restore FILE")

    monkeypatch.setattr("cloudtui.areas.runs.pages.listing", broken)
    async with desktop(story) as (app, _pilot):
        check("failed-runs", screen(app))


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
