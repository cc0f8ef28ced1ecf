"""The line in which a filter or a search is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from cloudtui.widgets.ordered_input import OrderedInput

_SETTLE_S = 0.25


class FilterBar(OrderedInput):
    """One line of text: applied while it is typed, kept by enter, given up by escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Clear", show=False)]

    class Edited(Message):
        """The text to apply; `closed` when the line has done its work."""

        def __init__(self, text: str, *, closed: bool) -> None:
            super().__init__()
            self.text = text
            self.closed = closed

    def __init__(
        self, text: str = "", *, placeholder: str = "name, status:live, tag:vision", live: bool = True
    ) -> None:
        super().__init__(text, placeholder=placeholder, compact=True, select_on_focus=False)
        self._timer: Timer | None = None
        self._live = live

    def on_input_changed(self, event: Input.Changed) -> None:
        """Wait until typing rests."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self._live:
            self._timer = self.set_timer(_SETTLE_S, self._apply)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        event.stop()
        self._close(self.value.strip())

    def action_give_up(self) -> None:
        """No filter."""
        self._close("")

    def on_blur(self) -> None:
        """The focus went elsewhere: keep what was typed."""
        self._close(self.value.strip())

    def _apply(self) -> None:
        self.post_message(self.Edited(self.value.strip(), closed=False))

    def _close(self, text: str) -> None:
        if self._timer is not None:
            self._timer.stop()
        self.post_message(self.Edited(text, closed=True))
