"""A confusion matrix with a cursor: rows are the truth, columns what was said; at the right how good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudtui.widgets.columns import fitted
from cloudtui.widgets.lines import Lines, Runs

_SCORE = 7
_LEVELS = ((0.08, "bad"), (0.03, "warn"), (0.005, ""), (0.0, "muted"))
"""Shares of a row from which on an error is told in this style."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is drawn: labels, counts by truth and prediction, and the texts at the right of each row."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    scores: tuple[tuple[str, ...], ...] = ()
    titles: tuple[str, ...] = ()

    def worst(self) -> tuple[int, int]:
        """The cell with most errors, or whose errors changed most."""
        size = len(self.labels)
        cells = [(abs(self.counts[i][j]), -i, -j) for i in range(size) for j in range(size) if i != j]
        _, row, column = max(cells, default=(0, 0, 0))
        return -row, -column


class HeatMap(Lines, can_focus=True):
    """Draws a `Matrix`; where it is larger than the screen it moves with the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "Up", show=False),
        Binding("down,j", "move(1, 0)", "Down", show=False),
        Binding("left", "move(0, -1)", "Left", show=False),
        Binding("right", "move(0, 1)", "Right", show=False),
        Binding("enter", "open", "Its errors", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← ↑ ↓ →", "cell"),
        ("enter", "its errors"),
        ("esc", "list"),
    )

    class Moved(Message):
        """The cursor is on another cell."""

        def __init__(self, heat_map: HeatMap, row: int, column: int) -> None:
            super().__init__()
            self.heat_map, self.row, self.column = heat_map, row, column

    class Opened(Message):
        """Enter or a double click on a cell."""

        def __init__(self, heat_map: HeatMap, row: int, column: int) -> None:
            super().__init__()
            self.heat_map, self.row, self.column = heat_map, row, column

    def __init__(self) -> None:
        super().__init__()
        self.matrix = Matrix((), ())
        self.cursor = (0, 0)
        self._top = self._left = 0

    def show(self, matrix: Matrix) -> None:
        """Draw this; the cursor stays on its cell where the classes are the same."""
        if matrix == self.matrix:
            return
        if matrix.labels != self.matrix.labels:
            self.cursor = matrix.worst() if matrix.labels else (0, 0)
            self._top = self._left = 0
        self.matrix = matrix
        self.refresh(layout=True)

    # Layout

    def get_content_height(self, *_sizes: object) -> int:
        """The header and a line a class."""
        return len(self.matrix.labels) + 1

    def _label_width(self) -> int:
        return min(14, max(7, *(cell_len(one) for one in self.matrix.labels)))

    def _cell_width(self) -> int:
        size = range(len(self.matrix.labels))
        count = max((len(self.text(i, j)) for i in size for j in size), default=1)
        name = max((cell_len(one) for one in self.matrix.labels), default=1)
        room = (self.size.width - self._label_width() - 3 - self._scores_width(full=True)) // max(
            1, len(size)
        )
        return max(count + 2, min(name + 1, max(room, 5)))

    def _scores_width(self, *, full: bool = False) -> int:
        wanted = _SCORE * len(self.matrix.titles) + 2 if self.matrix.titles else 0
        if full or not wanted:
            return wanted
        cells = self._cell_width() * len(self.matrix.labels)
        return wanted if self._label_width() + 3 + cells + wanted <= self.size.width else 0

    def _window(self) -> tuple[range, range]:
        """The rows and columns that are seen."""
        rows = max(1, self.size.height - 1)
        columns = max(
            1, (self.size.width - self._label_width() - 3 - self._scores_width()) // self._cell_width()
        )
        size = len(self.matrix.labels)
        self._top = min(max(self._top, self.cursor[0] - rows + 1, 0), self.cursor[0])
        self._left = min(max(self._left, self.cursor[1] - columns + 1, 0), self.cursor[1])
        return (
            range(self._top, min(size, self._top + rows)),
            range(self._left, min(size, self._left + columns)),
        )

    # Drawing

    def runs(self, y: int) -> Runs:
        """The header, then a row a class."""
        if not self.matrix.labels:
            return ()
        rows, columns = self._window()
        if y == 0:
            return self._header(columns)
        return self._row(rows[y - 1], columns) if y <= len(rows) else ()

    def _header(self, columns: range) -> Runs:
        width, cell = self._label_width(), self._cell_width()
        more = "→" if columns.stop < len(self.matrix.labels) else ""
        runs: list[tuple[str, str]] = [(" " + fitted("truth ↓", width, "left") + "  ", "muted")]
        for column in columns:
            style = "*accent" if column == self.cursor[1] and self.has_focus else "muted"
            runs.append((fitted(self.matrix.labels[column], cell - 1, "right") + " ", style))
        if self._scores_width():
            runs.append(("  " + "".join(fitted(one, _SCORE, "right") for one in self.matrix.titles), "muted"))
        else:
            runs.append((more, "muted"))
        return runs

    def _row(self, row: int, columns: range) -> Runs:
        matrix, cell = self.matrix, self._cell_width()
        style = "*accent" if row == self.cursor[0] and self.has_focus else ""
        runs: list[tuple[str, str]] = [
            (" " + fitted(matrix.labels[row], self._label_width(), "left") + "  ", style)
        ]
        for column in columns:
            text, tone = self.text(row, column), self.tone(row, column)
            if (row, column) == self.cursor:
                mark = "accent" if self.has_focus else "faint"
                runs += [(" " * (cell - len(text) - 2) + "▐", mark), (text, tone), ("▌", mark)]
            else:
                runs.append((text.rjust(cell - 1) + " ", tone))
        if self._scores_width():
            runs.append(("  " + "".join(fitted(one, _SCORE, "right") for one in matrix.scores[row]), ""))
        return runs

    def text(self, row: int, column: int) -> str:
        """What stands in a cell."""
        count = self.matrix.counts[row][column]
        return f"{count:,}" if count or row == column else "·"

    def tone(self, row: int, column: int) -> str:
        """The style of a cell: how large a share of its row is taken for that."""
        if row == column:
            return "good"
        count, whole = self.matrix.counts[row][column], max(1, sum(self.matrix.counts[row]))
        return next((name for share, name in _LEVELS if count and count / whole >= share), "faint")

    # Keys and mouse

    def action_move(self, rows: int, columns: int) -> None:
        """To a neighbour."""
        self._go(self.cursor[0] + rows, self.cursor[1] + columns)

    def _go(self, row: int, column: int) -> None:
        last = len(self.matrix.labels) - 1
        found = (max(0, min(row, last)), max(0, min(column, last)))
        if last >= 0 and found != self.cursor:
            self.cursor = found
            self.post_message(self.Moved(self, *found))
            self.refresh()

    def action_open(self) -> None:
        """The errors of the cell."""
        if self.matrix.labels:
            self.post_message(self.Opened(self, *self.cursor))

    def on_click(self, event: events.Click) -> None:
        """A cell: the cursor; twice: its errors."""
        if not self.matrix.labels:
            return
        rows, columns = self._window()
        column = (event.x - self._label_width() - 3) // self._cell_width()
        if 1 <= event.y <= len(rows) and 0 <= column < len(columns):
            self._go(rows[event.y - 1], columns[column])
            if event.chain == 2:
                self.action_open()

    def watch_has_focus(self, value: bool) -> None:
        """The cursor is bright where keys go."""
        super().watch_has_focus(value)
        self.refresh()
