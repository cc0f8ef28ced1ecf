"""What can be done with what is under the cursor, beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.screen import ModalScreen

from cloudtui.dialogs import STYLES
from cloudtui.menus import Entry
from cloudtui.widgets.choices import Choice, Choices


class ContextMenu(ModalScreen[str | None]):
    """The actions of one object, or of those that are marked. Gives the id of the one that was chosen.

    One that is not possible now is grey; it can be chosen all the same, for whoever carries it out says why
    not.
    """

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,m,q", "dismiss(None)", "Close", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    def __init__(self, title: str, entries: Sequence[Entry], place: Offset) -> None:
        super().__init__()
        self._entries = tuple(entries)
        self._place = place
        self._list = Choices(
            [Choice(one.action, one.title, one.key, faint=not one.enabled) for one in entries], id="menu"
        )
        self._list.border_title = Text(title)

    def compose(self) -> ComposeResult:
        """The lines."""
        yield self._list

    def on_mount(self) -> None:
        """Beside its place, and all of it on the screen."""
        title = len(self._list.border_title or "") + 4
        width = max(title, *(len(one.title) + len(one.key) + 8 for one in self._entries))
        self._list.styles.width = width
        screen, height = self.app.size, len(self._entries) + 2
        left = max(0, min(self._place.x, screen.width - width))
        below = self._place.y + height <= screen.height
        top = self._place.y if below else max(0, min(self._place.y - 1, screen.height) - height)
        self._list.styles.offset = (left, top)
        first = next((place for place, one in enumerate(self._entries) if one.enabled), 0)
        self._list.go(first)

    def action_move(self, step: int) -> None:
        """Another line."""
        self._list.move(step)

    def action_choose(self) -> None:
        """This one."""
        self.dismiss(self._list.chosen)

    def on_key(self, event: events.Key) -> None:
        """The key of a line is that line."""
        for one in self._entries:
            if one.key and one.key in {event.key, event.character}:
                event.stop()
                self.dismiss(one.action)
                return

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A line was clicked."""
        self.dismiss(event.value)

    def on_click(self) -> None:
        """Beside the menu: nothing."""
        self.dismiss(None)
