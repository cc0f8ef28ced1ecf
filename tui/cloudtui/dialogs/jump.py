"""A letter on each part of the screen: the letter goes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import Static

from cloudtui.dialogs import STYLES

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class Mark(NamedTuple):
    """A letter and where it stands."""

    letter: str
    place: Offset


class JumpScreen(ModalScreen[str | None]):
    """Letters over the desktop. Gives the one that was typed or clicked; any other key is none."""

    CSS_PATH = STYLES

    def __init__(self, marks: Sequence[Mark]) -> None:
        super().__init__()
        self._marks = tuple(marks)

    def compose(self) -> ComposeResult:
        """The letters."""
        for one in self._marks:
            label = Static(f" {one.letter} ", markup=False, classes="jump-letter", id=f"jump-{one.letter}")
            label.styles.offset = one.place
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go there, or nowhere."""
        event.stop()
        there = {one.letter for one in self._marks}
        self.dismiss(event.character if event.character in there else None)

    def on_click(self, event: events.Click) -> None:
        """A letter is as good as its key."""
        name = event.widget.id if event.widget is not None and event.widget.id else ""
        self.dismiss(name.removeprefix("jump-") or None)
