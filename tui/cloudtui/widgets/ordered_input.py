"""A line of text that does what is typed in the order in which it was typed."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.binding import Binding
from textual.widgets import Input

_ACTIONS: Mapping[str, str] = {
    key: one.action for one in Input.BINDINGS if isinstance(one, Binding) for key in one.key.split(",")
}


class OrderedInput(Input):
    """An input that does its own keys itself.

    Letters are taken in by the input, but a key that is bound goes by way of the screen first. So in a burst
    (a macro, a slow link) a backspace came after letters that were typed behind it, and took one of those.
    """

    async def on_key(self, event: events.Key) -> None:
        """A key of an input: done here and now."""
        action = _ACTIONS.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
