"""A table that shows a window of rows out of any number of them and stands still while they change.

The owner hands in a window (at most `WINDOW` rows) and the number of all rows, and is asked by `PageWanted`
when the screen reaches rows outside of it. The cursor belongs to a row, not to a line: rows that arrive
do not move it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cloudtui.theme import Paint
from cloudtui.widgets.columns import MARGIN, Cell, Column, Row
from cloudtui.widgets.row_painter import Look, RowPainter

__all__ = ["WINDOW", "Cell", "Column", "Row", "Table"]

RIGHT = 3
"""The button of the mouse that asks what can be done."""
WINDOW = 300
"""Rows that a table holds at most."""


class Table(ScrollView, can_focus=True):
    """Rows with a cursor, marks, a header to sort by, and a window that moves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "go(0)", "First", show=False),
        Binding("end,G", "go(-1)", "Last", show=False),
        Binding("enter", "open", "Open", show=False),
        Binding("space", "mark", "Mark", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()

    class Highlighted(Message):
        """The cursor is on another row, or on none."""

        def __init__(self, table: Table, key: str | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class Opened(Message):
        """Enter or a double click on a row."""

        def __init__(self, table: Table, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class MenuWanted(Message):
        """What can be done with the row under the cursor is wanted, beside this place of the screen."""

        def __init__(self, table: Table, place: Offset) -> None:
            super().__init__()
            self.table = table
            self.place = place

    class Marked(Message):
        """Rows were marked or unmarked."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

    class SortWanted(Message):
        """The header of a column was clicked."""

        def __init__(self, table: Table, sort: str) -> None:
            super().__init__()
            self.table = table
            self.sort = sort

    class PageWanted(Message):
        """Rows from `first` on are needed and are not in the window."""

        def __init__(self, table: Table, first: int) -> None:
            super().__init__()
            self.table = table
            self.first = first

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.sort = ""
        self.marked: set[str] = set()
        self.cursor = 0
        self.cursor_key: str | None = None
        self.total = 0
        self._rows: tuple[Row, ...] = ()
        self._base = 0
        self._painter = RowPainter(Paint(self))
        self._asked: int | None = None

    def notify_style_update(self) -> None:
        """Another style: draw with it."""
        self._painter.forget()
        super().notify_style_update()

    # Content

    @property
    def rows(self) -> tuple[Row, ...]:
        """The window."""
        return self._rows

    @property
    def base(self) -> int:
        """The place of the window's first row among all rows."""
        return self._base

    def show(self, rows: Sequence[Row], *, base: int = 0, total: int | None = None) -> None:
        """Put these rows in place of the window. Nothing is drawn where nothing changed."""
        rows = tuple(rows[:WINDOW])
        total = base + len(rows) if total is None else max(total, base + len(rows))
        if (rows, base, total) == (self._rows, self._base, self.total):
            return
        at_top = self.scroll_offset.y == 0
        before = self.cursor
        self._rows, self._base, self.total, self._asked = rows, base, total, None
        self.virtual_size = Size(self.size.width, total + 1)
        self._keep_cursor()
        if self.cursor != before and not at_top:
            self.scroll_to(y=self.scroll_offset.y + self.cursor - before, animate=False, force=True)
        self.refresh()

    def restructure(self, columns: Sequence[Column]) -> None:
        """Other columns; rows that fit them come next."""
        if tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self._rows, self.total = (), 0

    def select(self, key: str) -> bool:
        """Put the cursor on the row with this key, if it is in the window."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self._set_cursor(self._base + index)
                return True
        return False

    def _keep_cursor(self) -> None:
        places = {row.key: self._base + index for index, row in enumerate(self._rows)}
        if self.cursor_key in places:
            self.cursor = places[self.cursor_key]
            return
        self.cursor = max(0, min(self.cursor, self.total - 1))
        key = self._key_at(self.cursor)
        if key is not None or not self.total:
            self.cursor_key = key
            self.post_message(self.Highlighted(self, key))

    def _row_at(self, index: int) -> Row | None:
        index -= self._base
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def _key_at(self, index: int) -> str | None:
        row = self._row_at(index)
        return row.key if row is not None else None

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The header, then the rows from the scroll position on."""
        self._painter.fit(self.columns, self.size.width, self.app.theme)
        if y == 0:
            return self._painter.header(self.sort)
        index = self.scroll_offset.y + y - 1
        if index >= self.total:
            return self._painter.blank()
        row = self._row_at(index)
        if row is None:
            self._ask(index)
            return self._painter.awaited()
        here = index == self.cursor
        return self._painter.row(row, Look(here, here and self.has_focus, row.key in self.marked))

    def _ask(self, index: int) -> None:
        if self._asked is None or abs(self._asked - index) > WINDOW // 4:
            self._asked = index
            self.post_message(self.PageWanted(self, index))

    # Keys and mouse

    def _set_cursor(self, index: int) -> None:
        if not self.total:
            return
        index = max(0, min(index, self.total - 1))
        key = self._key_at(index)
        changed = index != self.cursor or key != self.cursor_key
        self.cursor, self.cursor_key = index, key
        # The header covers the first line of the region: a row is seen when the line above it is.
        self.scroll_to_region(Region(0, index, 1, 2), animate=False, force=True, x_axis=False)
        if changed:
            self.post_message(self.Highlighted(self, key))
        self.refresh()

    def action_move(self, rows: int) -> None:
        """Up or down by so many rows."""
        self._set_cursor(self.cursor + rows)

    def action_page(self, direction: int) -> None:
        """Up or down by a screenful."""
        self._set_cursor(self.cursor + direction * max(1, self.size.height - 2))

    def action_go(self, index: int) -> None:
        """To the first (0) or the last (-1) row."""
        self._set_cursor(index if index >= 0 else self.total - 1)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_key is not None:
            self.post_message(self.Opened(self, self.cursor_key))

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor and go on to the next."""
        if self.cursor_key is not None:
            self.marked ^= {self.cursor_key}
            self.post_message(self.Marked(self))
            self.action_move(1)
            self.refresh()

    def want_menu(self) -> None:
        """The menu of the row under the cursor, below that row."""
        line = min(max(0, self.cursor - self.scroll_offset.y), max(0, self.size.height - 2))
        self.post_message(self.MenuWanted(self, self.region.offset + Offset(MARGIN, line + 2)))

    def unmark(self) -> None:
        """Nothing is marked any more."""
        self.marked.clear()
        self.post_message(self.Marked(self))
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A row: the cursor; twice: open; with the right button: its menu. The header: sort."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = self.scroll_offset.y + offset.y - 1
        if offset.y == 0:
            if event.button != RIGHT:
                self._click_header(offset.x)
        elif index < self.total:
            self._set_cursor(index)
            if event.button == RIGHT:
                self.post_message(self.MenuWanted(self, event.screen_offset))
            elif event.chain == 2:
                self.action_open()

    def _click_header(self, x: int) -> None:
        column = self._painter.column_at(x)
        if column is not None and column.sort:
            self.post_message(self.SortWanted(self, column.sort))

    def on_resize(self, event: events.Resize) -> None:
        """The header and all rows have the widget's width."""
        self.virtual_size = Size(event.size.width, self.total + 1)

    def watch_has_focus(self, value: bool) -> None:
        """The cursor is bright where keys go."""
        super().watch_has_focus(value)
        self.refresh()
