"""A widget that is drawn line by line from (text, style name) runs: the base of what we draw ourselves."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from cloudtui.theme import Paint
from cloudtui_engine.sanitize import clean

Runs = Sequence[tuple[str, str]]


class Lines(Widget):
    """Draws `runs(y)`; a line is cut or filled to the width. Text in runs is data and never markup."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.paint = Paint(self)

    def runs(self, y: int) -> Runs:
        """The content of line `y`."""
        raise NotImplementedError

    def notify_style_update(self) -> None:
        """Another style: draw with it."""
        self.paint.forget()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """The line as Textual wants it."""
        paint = self.paint
        return to_strip(
            [Segment(safe(text), paint[style]) for text, style in self.runs(y)], self.size.width, paint
        )


class OneLine(Lines):
    """A widget of a single line."""

    def line(self) -> Runs:
        """Its content."""
        raise NotImplementedError

    def runs(self, y: int) -> Runs:
        """The line, and nothing below it."""
        return self.line() if y == 0 else ()


def safe(text: str) -> str:
    """What comes here should be clean already; what is not does not reach the terminal either."""
    return text if text.isprintable() else clean(text).replace("\n", " ").expandtabs(1)


def to_strip(segments: list[Segment], width: int, paint: Paint) -> Strip:
    """Segments as a strip of exactly `width` cells."""
    return Strip(segments).adjust_cell_length(width, paint[""])
