"""The confusion tab: what was taken for what; of many classes the most confused pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult

from cloudtui import format as fmt
from cloudtui.areas.evaluation.inputs import MOST, Inputs, caption, errors_of, read_inputs, rows_of
from cloudtui.areas.evaluation.judged import headline
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.areas.evaluation.open_errors import OpenErrors
from cloudtui.bridge import Bridge, Reader
from cloudtui.reported import items, label, mappings, number
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.heat_map import HeatMap, Matrix
from cloudtui.widgets.picture import Gallery, Picture
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

MOST_CLASSES = 20
"""A larger matrix is no help in a terminal."""
_PAIRS = 200
_COLUMNS = (
    Column("Truth", 16, share=1),
    Column("Taken for", 16, share=1),
    Column("Errors", 8, "right"),
    Column("Of its rows", 11, "right", rank=1),
)


class ConfusionTab(JudgedTab):
    """A matrix, or a table of pairs; a line says what the cursor is on."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.heat_map = HeatMap()
        self.pairs = Table(_COLUMNS)
        self.gallery = Gallery(most_rows=12)
        self.foot = Foot()
        self._inputs = Reader(self, bridge, self._no_inputs)
        self._matrix = Matrix((), ())

    def compose(self) -> ComposeResult:
        """One of both, and the line."""
        self.pairs.display = False
        yield self.notice
        yield self.heat_map
        yield self.pairs
        yield self.gallery
        yield self.foot

    def load(self) -> None:
        """The report is the record's: nothing is read."""
        found = matrix_of(self.judged.report if self.judged else {})
        self._matrix = found
        few = 0 < len(found.labels) <= MOST_CLASSES
        self.notice.display = not found.labels
        if not found.labels:
            self.notice.say("No confusion", more="The report has none that can be read.")
        self.heat_map.display, self.pairs.display = few, bool(found.labels) and not few
        if few:
            self.heat_map.show(found)
        else:
            self.pairs.show(pair_rows(found))
        self.gallery.display = few
        self._say()

    def focus_inside(self) -> None:
        """What is shown takes the keys."""
        (self.heat_map if self.heat_map.display else self.pairs).focus()

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        """Say what the cell is."""
        event.stop()
        self._say()

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """The same of a pair."""
        event.stop()
        self._say()

    def on_heat_map_opened(self, event: HeatMap.Opened) -> None:
        """To the errors of the cell, where it has some; on the diagonal to all errors."""
        event.stop()
        truth, predicted = self._matrix.labels[event.row], self._matrix.labels[event.column]
        if truth == predicted:
            self.post_message(OpenErrors(None))
        elif self._matrix.counts[event.row][event.column]:
            self.post_message(OpenErrors((truth, predicted)))
        else:
            self.app.notify(f"No {truth} was taken for {predicted}.", timeout=3, markup=False)

    def on_table_opened(self, event: Table.Opened) -> None:
        """To the errors of the pair."""
        event.stop()
        row, _, column = event.key.partition(":")
        self.post_message(OpenErrors((self._matrix.labels[int(row)], self._matrix.labels[int(column)])))

    def _say(self) -> None:
        labels = self._matrix.labels
        if not labels:
            self.foot.show("", "")
            return
        row, column = self.heat_map.cursor
        if self.pairs.display:
            text = f"{len(labels)} classes: the most confused pairs"
        elif row == column:
            text = f"{labels[row]}: {self._matrix.counts[row][row]:,} right"
        else:
            count = self._matrix.counts[row][column]
            text = f"{labels[row]} → {labels[column]}: {count:,} error{'' if count == 1 else 's'}"
        if self.heat_map.display:
            self._look((labels[row], labels[column]))
        self.foot.show(text, clean_line(headline(self.judged.report), 60) if self.judged else "")

    def _look(self, cell: tuple[str, str]) -> None:
        """Where there is room below the matrix: the worst errors of the cell, as pictures."""
        judged = self.judged
        errors = errors_of(replace(judged, cell=cell)) if judged is not None else []
        rows = rows_of(errors[:MOST])
        if judged is None or not rows:
            self.gallery.show(())
            return
        catalog = self.bridge.catalog
        self._inputs.ask(lambda: (cell, read_inputs(catalog, judged, rows)), self._show_inputs)

    def _show_inputs(self, found: tuple[tuple[str, str], Inputs]) -> None:
        cell, inputs = found
        labels, (row, column) = self._matrix.labels, self.heat_map.cursor
        if self.judged is None or inputs.key[0] != self.judged.id or cell != (labels[row], labels[column]):
            return
        by_row = {one.get("index"): one for one in errors_of(replace(self.judged, cell=cell))}
        self.gallery.show(
            [
                Picture(pixels, caption(by_row.get(row, {})))
                for row, pixels in zip(inputs.key[1], inputs.pictures, strict=False)
            ]
        )

    def _no_inputs(self, _error: CloudtuiError) -> None:
        """The pictures are not here; the errors tab says why."""
        self.gallery.show(())


def matrix_of(report: Mapping[str, Any]) -> Matrix:
    """The report's confusion with precision, recall and F1 by class; empty where it does not fit itself."""
    classes = mappings(report.get("classes"))
    labels = tuple(label(one.get("label"), 24) for one in classes)
    counts = tuple(tuple(int(number(n) or 0) for n in items(row)) for row in items(report.get("confusion")))
    if not labels or len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        return Matrix((), ())
    scores = tuple(
        tuple(fmt.number(number(one.get(key))) for key in ("precision", "recall", "f1")) for one in classes
    )
    return Matrix(labels, counts, scores, ("P", "R", "F1"))


def pair_rows(matrix: Matrix) -> list[Row]:
    """The most confused pairs, most errors first."""
    cells = [
        (count, i, j)
        for i, row in enumerate(matrix.counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    cells.sort(key=lambda cell: (-cell[0], cell[1:]))
    return [
        Row(
            f"{i}:{j}",
            (
                (matrix.labels[i], ""),
                (matrix.labels[j], ""),
                (f"{count:,}", ""),
                (fmt.percent(count / max(1, sum(matrix.counts[i])), 1), "muted"),
            ),
        )
        for count, i, j in cells[:_PAIRS]
    ]
