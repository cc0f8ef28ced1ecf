"""The border between two parts: dragged, moved by key, reset, and kept as a share."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.events import MouseDown, MouseMove, MouseUp
from textual.pilot import Pilot
from textual.widget import Widget

from cloudtui.widgets.split import LEAST, Split


class Two(App[None]):
    """A split whose parts stand beside each other from 100 columns on."""

    CSS = """
    Split { layout: vertical; } .-wide Split { layout: horizontal; }
    #first { width: 1fr; height: 2fr; } #second { width: 1fr; height: 3fr; }
    .-wide #first { height: 1fr; } .-wide #second { height: 1fr; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as the base

    def __init__(self) -> None:
        super().__init__()
        self.moved = 0
        self.split = Split(Widget(id="first"), Widget(id="second"))

    def compose(self) -> ComposeResult:
        yield self.split

    def on_split_moved(self) -> None:
        self.moved += 1

    def size_of_first(self) -> tuple[int, int]:
        """Columns and lines."""
        return self.query_one("#first").region.size


async def shown(pilot: Pilot[Any]) -> Two:
    """Laid out for its size."""
    await pilot.pause()
    assert isinstance(pilot.app, Two)
    return pilot.app


async def drag(pilot: Pilot[Any], start: tuple[int, int], *way: tuple[int, int]) -> None:
    """As a terminal tells it: press, move with the button, let go."""
    await pilot._post_mouse_events([MouseDown], offset=start, button=1)
    for place in way:
        await pilot._post_mouse_events([MouseMove], offset=place, button=1)
    await pilot._post_mouse_events([MouseUp], offset=way[-1] if way else start, button=1)
    await pilot.pause()


async def test_it_follows_the_mouse_and_keeps_its_share() -> None:
    async with Two().run_test(size=(120, 40)) as pilot:
        app = await shown(pilot)
        assert app.size_of_first() == (60, 40)
        await drag(pilot, (60, 5), (70, 5), (84, 8))
        assert app.size_of_first() == (84, 40)
        assert (app.split.shares, app.moved) == ({"beside": 0.7}, 1)
        assert app.mouse_captured is None
        await pilot.resize_terminal(160, 40)
        await pilot.pause()
        assert app.size_of_first() == (112, 40)
        await pilot.resize_terminal(80, 40)  # above each other: a share of its own
        await pilot.pause()
        assert app.size_of_first() == (80, 16)
        await drag(pilot, (10, 16), (10, 20))
        assert app.size_of_first() == (80, 20)
        await pilot.resize_terminal(160, 40)
        await pilot.pause()
        assert app.size_of_first() == (112, 40)
        assert app.split.shares == {"beside": 0.7, "above": 0.5}


async def test_only_the_border_is_dragged_and_both_keep_what_they_need() -> None:
    async with Two().run_test(size=(120, 40)) as pilot:
        app = await shown(pilot)
        await drag(pilot, (58, 5), (20, 5))
        await drag(pilot, (60, 5))  # a click moves nothing
        await pilot.hover(offset=(100, 5))
        assert (app.split.shares, app.moved) == ({}, 0)
        await drag(pilot, (60, 5), (3, 5))
        assert app.size_of_first()[0] == LEAST["beside"][0]
        await drag(pilot, (LEAST["beside"][0], 5), (119, 5))
        assert app.size_of_first()[0] == 120 - LEAST["beside"][1]


async def test_keys_and_a_double_click() -> None:
    async with Two().run_test(size=(120, 40)) as pilot:
        app = await shown(pilot)
        app.split.widen(4)
        await pilot.pause()
        assert app.size_of_first() == (64, 40)
        app.split.widen(-8)
        await pilot.pause()
        assert app.size_of_first() == (56, 40)
        await pilot.double_click(offset=(56, 3))
        await pilot.pause()
        assert app.size_of_first() == (60, 40)
        assert app.split.shares == {}


async def test_what_was_kept_is_taken_as_far_as_it_can_be() -> None:
    app = Two()
    app.split.shares = {"beside": 0.25, "above": 7.0, "askew": 0.5}  # type: ignore[dict-item]
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert app.split.shares == {"beside": 0.25}
        assert app.size_of_first() == (30, 40)
