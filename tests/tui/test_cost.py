"""The Cost area: by machine, run and day, beside budgets and forecast. Look at the snapshots' diff."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import seed_money
from tests.tui.desk import SIZES, check, desktop, screen, settle, wait_until

from cloudtui.areas.cost.books import verdict
from cloudtui.widgets.pillars import Pillar, drawn


@pytest.fixture
def month(tmp_path: Path) -> Path:
    seed_money.month(tmp_path / "home").close()
    return tmp_path / "home"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_cost_at_every_size(month: Path, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    async with desktop(month, size, first="cost") as (app, pilot):
        check(f"cost-{name}", screen(app))
        await pilot.press("v")
        await settle(pilot)
        check(f"cost-runs-{name}", screen(app))
        await pilot.press("v", "enter")
        await settle(pilot)
        check(f"cost-days-{name}", screen(app))


async def test_a_budget_is_set_shown_and_taken_away(month: Path) -> None:
    async with desktop(month, (120, 30), first="cost") as (app, pilot):
        await pilot.press("b")
        await wait_until(pilot, lambda: len(app.screen_stack) > 1)
        await pilot.press(*"8/day", "ctrl+s")
        await wait_until(pilot, lambda: "of $8.00" in screen(app))
        assert "⚠ nearly spent" in screen(app)
        await wait_until(pilot, lambda: "budget 82%" in screen(app))
        await pilot.press("B")
        await wait_until(pilot, lambda: len(app.screen_stack) > 1)
        await pilot.press("y")
        await wait_until(pilot, lambda: "b sets one" in screen(app))
        await wait_until(pilot, lambda: "today $6.52" in screen(app) and "budget 82%" not in screen(app))


async def test_the_mouse_chooses_what_is_listed_and_o_goes_there(month: Path) -> None:
    async with desktop(month, (120, 30), first="cost") as (app, pilot):
        await pilot.click(app.area.strip, offset=(len(" Machines  R"), 0))
        await wait_until(pilot, lambda: "nothing ran" in screen(app))
        await settle(pilot)
        await pilot.press("o")
        await wait_until(pilot, lambda: app.current == "runs")
        await settle(pilot)
        assert [one.name for one in app.area.selected()] == ["vit-small-aug-3"]


@pytest.mark.parametrize(
    ("spent", "ends_at", "words"),
    [(10, 60, "● holds"), (10, 101, "⚠ will not hold"), (80, 80, "⚠ nearly spent"), (100, 100, "✗ spent")],
)
def test_how_a_budget_stands(spent: int, ends_at: int, words: str) -> None:
    assert verdict(spent, ends_at, 100)[0] == words


@pytest.mark.parametrize("width", [0, 5, 12, 30, 90])
def test_pillars_at_any_width(width: int) -> None:
    pillars = [Pillar(str(day), float(day % 7)) for day in range(1, 32)]
    lines = ["".join(text for text, _ in drawn(pillars, "$6.00", (width, 8), y)) for y in range(9)]
    assert all(len(line) <= width for line in lines)
    if width >= 12:
        assert lines[7].endswith("31"), "The newest has a name."
        assert lines[0].startswith("$6.00 ┤")
