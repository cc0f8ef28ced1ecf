"""The cells tab: how many more or fewer rows another model has in each cell of the confusion."""

from __future__ import annotations

from textual.app import ComposeResult

from cloudtui.areas.evaluation.confusion import MOST_CLASSES
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.bridge import Bridge
from cloudtui.differing import ModelDifference, difference
from cloudtui.widgets.diff_map import DiffMap, changed, most, toned
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.heat_map import HeatMap, Matrix
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.sanitize import clean_line

_PAIRS = 200
_COLUMNS = (Column("Truth", 16, share=1), Column("Taken for", 16, share=1), Column("Rows", 10, "right"))


class CellsTab(JudgedTab):
    """A heat map of differences; of many classes a table of the largest."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.map = DiffMap()
        self.pairs = Table(_COLUMNS)
        self.foot = Foot()
        self._found: ModelDifference | None = None

    def compose(self) -> ComposeResult:
        """One of both, and a line that says what the cursor is on."""
        self.pairs.display = False
        yield self.notice
        yield self.map
        yield self.pairs
        yield self.foot

    def load(self) -> None:
        """From both reports."""
        judged = self.judged
        if judged is None or judged.beside is None:
            return
        try:
            self._found = difference(judged.evaluation, judged.beside)
        except RefusedError as error:
            self._found = None
            self.notice.fail(error)
        labels = self._found.labels if self._found else ()
        if self._found and not labels:
            self.notice.say("No confusion", more="One of the reports has none that can be read.")
        few = 0 < len(labels) <= MOST_CLASSES
        self.notice.display = not labels
        self.map.display, self.pairs.display = few, bool(labels) and not few
        if self._found and few:
            self.map.show(Matrix(labels, self._found.cells))
        elif self._found:
            self.pairs.show(changed_pairs(self._found))
        self._say()

    def focus_inside(self) -> None:
        """What is shown takes the keys."""
        (self.map if self.map.display else self.pairs).focus()

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        """Say what the cell is."""
        event.stop()
        self._say()

    def on_table_opened(self, event: Table.Opened) -> None:
        """There is nothing further inside."""
        event.stop()

    def _say(self) -> None:
        found = self._found
        if found is None or not found.labels:
            self.foot.show("", "")
            return
        row, column = self.map.cursor
        text = (
            cell_text(found, row, column)
            if self.map.display
            else f"{len(found.labels)} classes: what changed most"
        )
        self.foot.show(text, clean_line(f"{found.second.model} less {found.first.model}", 60))


def cell_text(found: ModelDifference, row: int, column: int) -> str:
    """`Shirt → Coat: 12 errors fewer`, `Shirt: 12 more right`."""
    count, truth = found.cells[row][column], found.labels[row]
    name = f"{truth} → {found.labels[column]}" if row != column else truth
    if not count:
        return f"{name}: no change"
    more = "more" if count > 0 else "fewer"
    if row == column:
        return f"{name}: {abs(count):,} {more} right"
    return f"{name}: {abs(count):,} {'error' if abs(count) == 1 else 'errors'} {more}"


def changed_pairs(found: ModelDifference) -> list[Row]:
    """The largest changes beside the diagonal first."""
    cells = [(n, i, j) for i, row in enumerate(found.cells) for j, n in enumerate(row) if i != j and n]
    cells.sort(key=lambda one: (-abs(one[0]), one[1:]))
    largest = most(found.cells)[0]
    return [
        Row(
            f"{i}:{j}",
            ((found.labels[i], ""), (found.labels[j], ""), (changed(n), toned(n, largest, right=False))),
        )
        for n, i, j in cells[:_PAIRS]
    ]
