"""How the lines of a table look: header and rows as strips, made once for as long as they stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from cloudtui.theme import Paint
from cloudtui.widgets.columns import GAP, MARGIN, Column, Row, fitted, layout
from cloudtui.widgets.lines import Runs, to_strip

KEPT = 600
"""Strips that are kept at most: two windows of rows."""
Places = Sequence[tuple[int, int]]
"""The columns that are shown, in order, and how wide each is."""


class Look(NamedTuple):
    """What a row's line shows beside its cells."""

    here: bool
    """The cursor is on it."""
    focused: bool
    """And keys go there."""
    marked: bool


def header_runs(columns: Sequence[Column], places: Places, sort: str) -> Runs:
    """The titles; the column that is sorted by says so, and which way round."""
    runs = [(" " * MARGIN, "muted")]
    for index, width in places:
        column = columns[index]
        title, style = column.title, "muted"
        if column.sort and sort.lstrip("-") == column.sort:
            title, style = title + ("↓" if sort.startswith("-") else "↑"), "accent"
        runs.append((fitted(title, width, column.align) + " " * GAP, style))
    return runs


def row_runs(row: Row, columns: Sequence[Column], places: Places, look: Look) -> Runs:
    """The cursor's bar, the mark, and the cells; under the cursor what has no style of its own is bold."""
    bar = ("▌", "accent" if look.focused else "faint") if look.here else (" ", "")
    runs = [bar, ("*" if look.marked else " ", "accent")]
    for index, width in places:
        text, style = row.cells[index]
        runs.append((fitted(text, width, columns[index].align), style or ("bold" if look.here else "")))
        runs.append((" " * GAP, ""))
    return runs


class RowPainter:
    """Paints what `fit` was last told: these columns, in this width, in this theme."""

    def __init__(self, paint: Paint) -> None:
        self._paint = paint
        self._columns: Sequence[Column] = ()
        self._places: Places = ()
        self._width = 0
        self._theme = ""
        self._strips: dict[tuple[Row, Look], Strip] = {}

    def fit(self, columns: Sequence[Column], width: int, theme: str) -> None:
        """Paint for these from now on."""
        if (columns, width, theme) != (self._columns, self._width, self._theme):
            self._columns, self._width, self._theme = columns, width, theme
            self._places = layout(columns, width - 1)
            self._strips.clear()

    def forget(self) -> None:
        """The widget's own style changed."""
        self._paint.forget()
        self._strips.clear()

    def header(self, sort: str) -> Strip:
        """The line above the rows."""
        return self._strip(header_runs(self._columns, self._places, sort))

    def row(self, row: Row, look: Look) -> Strip:
        """A row's line."""
        strip = self._strips.get((row, look))
        if strip is None:
            if len(self._strips) > KEPT:
                self._strips.clear()
            ground = ("cursor" if look.focused else "cursor-idle") if look.here else ""
            strip = self._strip(row_runs(row, self._columns, self._places, look), ground)
            self._strips[row, look] = strip
        return strip

    def awaited(self) -> Strip:
        """The line of a row that is still to be read."""
        return self._strip([("   ·", "faint")])

    def blank(self) -> Strip:
        """A line below the last row."""
        return Strip.blank(self._width, self._paint[""])

    def column_at(self, x: int) -> Column | None:
        """The column whose title, or the gap behind it, is so far from the left."""
        left = MARGIN
        for index, width in self._places:
            if left <= x < left + width + GAP:
                return self._columns[index]
            left += width + GAP
        return None

    def _strip(self, runs: Runs, ground: str = "") -> Strip:
        styles = [(text, self._paint[name]) for text, name in runs]
        if ground:
            under = self._paint.ground(ground)
            styles = [(text, style + under) for text, style in styles]
        return to_strip([Segment(text, style) for text, style in styles], self._width, self._paint)
