"""A checkbox that needs no colour to be read."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Checkbox


class Tick(Checkbox):
    """A cross where it is on, nothing where it is off (Textual's draws the cross both times)."""

    def __init__(self, label: Text, *, id: str) -> None:
        super().__init__(label, id=id, compact=True)
        self._mark()

    def watch_value(self) -> None:
        """Draw what it is now."""
        self._mark()
        super().watch_value()

    def _mark(self) -> None:
        self.BUTTON_INNER = "X" if self.value else " "
