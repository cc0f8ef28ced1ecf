"""What lines to type in are made of: the mark of what is wrong, what is said below, what may stand there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.highlighter import Highlighter
from rich.text import Text
from textual.widget import Widget
from textual.widgets import Input

from cloudtui.widgets.choices import Choice, Choices
from cloudtui.widgets.lines import OneLine, Runs


class Mark(Highlighter):
    """Marks what is wrong: a character, or as many as `length` says."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.length = 1

    def highlight(self, text: Text) -> None:
        """The very characters, and not by their colour."""
        if self.at is not None:
            text.stylize("bold underline reverse", self.at, self.at + self.length)


class Hint(OneLine):
    """Below the line: a caret and what is wrong there, or else the keys."""

    def __init__(self, keys: str) -> None:
        super().__init__(classes="query-hint")
        self._keys = keys
        self._place: Callable[[], int] | None = None
        self._why = ""

    def say(self, why: str, place: Callable[[], int] | None = None) -> None:
        """`why` beside a caret in this column, which moves as the text scrolls; without one, only that."""
        self._why, self._place = why, place
        self.refresh()

    def line(self) -> Runs:
        """The caret, and the words on the side where there is room."""
        if self._place is None:
            return [(" " + (self._why or self._keys), "muted")]
        place, width = min(self._place(), self.size.width - 1), self.size.width
        if place + 2 + cell_len(self._why) > width and place > width - place:
            room = place - 1
            why = self._why if cell_len(self._why) <= room else set_cell_size(self._why, room - 1) + "…"
            return [(" " * (room - cell_len(why)) + why + " ", ""), ("^", "*bad")]
        return [(" " * place, ""), ("^", "*bad"), (f" {self._why}", "")]


class Offers(Choices):
    """What may stand here; nothing is under the cursor before somebody goes there."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("query-offers")
        self.display = False

    def show(self, choices: Sequence[Choice]) -> None:
        """Other lines."""
        super().show(choices)
        self.cursor = -1
        self.display = bool(choices)

    @property
    def next(self) -> str | None:
        """What a key takes: the one under the cursor, or the first; None where none is shown."""
        return self.choices[max(0, self.cursor)].value if self.display and self.choices else None

    def step(self, step: int) -> None:
        """Through them; up from the first, nothing is under the cursor again."""
        if self.cursor + step < 0:
            self.cursor = -1
            self.refresh()
        else:
            self.move(step)


def column_of(line: Input, at: int, below: Widget) -> int:
    """Where a character of a line stands now, counted from the left edge of what is below it."""
    inside = line.content_region.x - below.content_region.x
    return max(0, inside + cell_len(line.value[:at]) - int(line.scroll_offset.x))
