"""What is typed in one burst is taken in the order in which it was typed."""

from __future__ import annotations

import pytest
from tests.tui.desk import wait_until
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from cloudtui.widgets.ordered_input import OrderedInput


class OneLine(App[None]):
    def compose(self) -> ComposeResult:
        yield OrderedInput()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["a", "b", "backspace", "c"], "ac"),
        (["b", "home", "a", "end", "c"], "abc"),
        (["x", "y", "ctrl+u", "z"], "z"),
        (["a", "left", "delete", "b", "enter"], "b"),
    ],
)
async def test_keys_do_not_overtake_each_other(keys: list[str], expected: str) -> None:
    app = OneLine()
    async with app.run_test() as pilot:
        line = app.query_one(Input)
        await wait_until(pilot, lambda: line.has_focus)
        for key in keys:  # none of them waits for the one before
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        app.post_message(events.Key("!", "!"))
        await wait_until(pilot, lambda: "!" in line.value)
        await wait_until(pilot, lambda: line.value.replace("!", "") == expected)
