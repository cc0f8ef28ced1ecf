"""Datasets, models, evaluations and compressions in every state, as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support import seed
from tests.tui.desk import SIZES, check, desktop, screen, settle

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import LinkState

AREAS = {"datasets": "2", "models": "5", "evaluation": "6", "compression": "7"}


def plain(text: str) -> str:
    """Without the hash of a manifest, which changes with each of its fields."""
    return re.sub(r"(SHA-256 +)[0-9a-f]{20,}( *\n[ \d▌]*│ +[0-9a-f]+\n)?", r"\1(a hash)\n", text)


async def at(home: Path, name: str, size: tuple[int, int], *keys: str) -> None:
    async with desktop(home, size) as (app, pilot):
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        check(name, plain(screen(app)))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("area", AREAS)
async def test_each_area_at_every_size(shelf: Path, area: str, size: tuple[int, int]) -> None:
    keys = ("end", "enter") if size[0] < 100 else ("end",)
    await at(shelf, f"judged-{area}-{size[0]}x{size[1]}", size, AREAS[area], *keys)


@pytest.mark.parametrize("tab", ["classes", "errors", "calibration", "figures"])
async def test_each_tab_of_an_evaluation_on_a_small_screen(shelf: Path, tab: str) -> None:
    steps = ["classes", "errors", "calibration", "figures"].index(tab) + 1
    await at(shelf, f"evaluation-{tab}-80x24", (80, 24), "6", *["down"] * 4, "enter", *["]"] * steps)


async def test_an_evaluation_of_numbers(shelf: Path) -> None:
    await at(shelf, "evaluation-residuals", (120, 30), "6", *["down"] * 3)
    await at(shelf, "evaluation-numbers", (120, 30), "6", *["down"] * 3, "]")


async def test_an_evaluation_of_many_classes(shelf: Path) -> None:
    await at(shelf, "evaluation-many", (120, 30), "6", *["down"] * 2)


async def test_an_evaluation_that_is_measured_or_failed(shelf: Path) -> None:
    await at(shelf, "evaluation-live", (120, 30), "6", "down")
    await at(shelf, "evaluation-failed", (120, 30), "6")


@pytest.mark.parametrize(("state", "down"), [("undecided", 0), ("failed", 1), ("live", 2)])
async def test_a_compression_in_each_state(shelf: Path, state: str, down: int) -> None:
    await at(shelf, f"compression-{state}", (120, 30), "7", *["down"] * down)


@pytest.mark.parametrize("tab", ["columns", "classes", "rows"])
async def test_each_tab_of_a_table(shelf: Path, tab: str) -> None:
    steps = ["columns", "classes", "rows"].index(tab) + 1
    await at(shelf, f"dataset-{tab}-80x24", (80, 24), "2", "end", "enter", *["]"] * steps)


async def test_pictures_of_a_dataset(shelf: Path) -> None:
    await at(shelf, "dataset-pictures", (120, 30), "2", "]", "]")


async def test_data_whose_arrays_are_elsewhere(shelf: Path) -> None:
    await at(shelf, "dataset-not-here", (120, 30), "2", "down", "]", "]")


@pytest.mark.parametrize("area", ["evaluation", "compression"])
async def test_stale_and_offline(shelf: Path, area: str) -> None:
    from cloudtui_engine.catalog.runs import RunQuery

    catalog = Catalog.open(Paths(shelf))
    jobs = catalog.runs.list(RunQuery(kinds=("evaluate", "compress")))
    catalog.runs.set_stale([run.id for run in jobs if run.status == "running"], seed.NOW - 260)
    for machine in catalog.instances.list():
        catalog.instances.update(machine.id, link_state=LinkState.DOWN)
    catalog.close()
    await at(shelf, f"stale-{area}", (120, 30), AREAS[area], *["down"] * (1 if area == "evaluation" else 2))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_training_form_with_all_lines(shelf: Path, size: tuple[int, int]) -> None:
    async with desktop(shelf, size) as (app, pilot):
        await pilot.press("plus")
        await settle(pilot)
        await pilot.click("#more")
        await settle(pilot)
        check(f"train-more-{size[0]}x{size[1]}", screen(app))
