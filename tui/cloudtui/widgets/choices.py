"""A short list to choose from, in menus and in the palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.message import Message

from cloudtui.widgets.lines import Lines, Runs


@dataclass(frozen=True, slots=True)
class Choice:
    """A line: what it stands for, its text, what is said at the right, and whether it can be chosen."""

    value: str
    text: str
    right: str = ""
    enabled: bool = True
    faint: bool = False
    """Drawn as one that cannot be chosen; choosing it tells why."""


class Choices(Lines):
    """Lines with one under the cursor. Keys are the owner's; the mouse works here."""

    class Chosen(Message):
        """A line was clicked."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def __init__(self, choices: Sequence[Choice] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices = tuple(choices)
        self.cursor = 0
        self._top = 0
        self._first()

    def show(self, choices: Sequence[Choice]) -> None:
        """Other lines; the cursor goes to the first."""
        self.choices = tuple(choices)
        self.cursor = self._top = 0
        self._first()
        self.refresh(layout=True)

    def get_content_height(self, *_sizes: object) -> int:
        """A line a choice."""
        return max(1, len(self.choices))

    @property
    def chosen(self) -> str | None:
        """What is under the cursor, if it can be chosen."""
        if 0 <= self.cursor < len(self.choices) and self.choices[self.cursor].enabled:
            return self.choices[self.cursor].value
        return None

    def go(self, place: int) -> None:
        """This line, as far as there are so many."""
        self.cursor = min(place, len(self.choices) - 1)
        self._keep_seen()

    def move(self, step: int) -> None:
        """The next line that can be chosen, up or down, around the ends."""
        count = len(self.choices)
        for distance in range(1, count + 1):
            place = (self.cursor + step * distance) % count
            if self.choices[place].enabled:
                self.cursor = place
                break
        self._keep_seen()

    def on_resize(self) -> None:
        """As many lines as there is room for, the chosen one among them."""
        self._keep_seen()

    def _keep_seen(self) -> None:
        height = self.size.height or len(self.choices)
        self._top = min(max(self._top, self.cursor - height + 1), max(0, self.cursor))
        self.refresh()

    def runs(self, y: int) -> Runs:
        """A choice."""
        index = self._top + y
        width = self.size.width
        if index >= len(self.choices):
            return ()
        choice = self.choices[index]
        here = index == self.cursor and choice.enabled
        style = "faint" if choice.faint or not choice.enabled else "*accent" if here else ""
        room = width - cell_len(choice.right) - 4
        text = choice.text
        if cell_len(text) > room:
            text = set_cell_size(text, max(0, room - 1)) + "…"
        gap = " " * max(1, width - cell_len(text) - cell_len(choice.right) - 3)
        return [("▌" if here else " ", "accent"), (text, style), (gap, ""), (choice.right, "muted")]

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The cursor follows the mouse."""
        index = self._at(event)
        if index is not None and index != self.cursor:
            self.cursor = index
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose it."""
        index = self._at(event)
        if index is not None:
            event.stop()
            self.post_message(self.Chosen(self.choices[index].value))

    def _at(self, event: events.MouseEvent) -> int | None:
        """The line under the mouse, if it can be chosen; a border is none."""
        offset = event.get_content_offset(self)
        index = self._top + offset.y if offset is not None else -1
        return index if 0 <= index < len(self.choices) and self.choices[index].enabled else None

    def _first(self) -> None:
        for index, choice in enumerate(self.choices):
            if choice.enabled:
                self.cursor = index
                return
