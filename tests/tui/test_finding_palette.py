"""The palette finds what the catalog has, whatever its kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.desk import check, desktop, screen, settle, wait_until

from cloudtui.dialogs.palette import Palette
from cloudtui.widgets.choices import Choices


@pytest.mark.parametrize("size", [(80, 24), (120, 30)], ids="{0[0]}x{0[1]}".format)
async def test_objects_of_every_kind_are_found(story: Path, size: tuple[int, int]) -> None:
    async with desktop(story, size) as (app, pilot):
        await pilot.press("ctrl+p", *"resnet-b")
        await wait_until(pilot, lambda: "resnet-base@1" in screen(app))
        await settle(pilot)
        check(f"finding-palette-{size[0]}x{size[1]}", screen(app))
        choices = app.screen.query_one(Choices).choices
        found = [one.value.partition(":")[0] for one in choices if one.text.startswith("resnet-b")]
        assert found == ["runs", "models"]


async def test_a_dataset_is_opened_by_its_name(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("ctrl+p", *"fashion-m")
        await wait_until(pilot, lambda: "fashion-mnist@2" in screen(app))
        choices = app.screen.query_one(Choices)
        at = [one.text for one in choices.choices].index("fashion-mnist@2")
        await pilot.click(choices, offset=(4, at))
        await wait_until(pilot, lambda: app.current == "datasets" and not isinstance(app.screen, Palette))
