"""The errors tab: what was missed worst, with the picture or the row that it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from cloudtui import format as fmt
from cloudtui.areas.evaluation.inputs import MOST, Inputs, caption, errors_of, read_inputs, rows_of
from cloudtui.areas.evaluation.judged import Judged
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.areas.evaluation.open_errors import OpenErrors
from cloudtui.bridge import Bridge, Reader
from cloudtui.reported import label, number
from cloudtui.widgets.facts import Fact, Facts
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.picture import Gallery, Picture
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

_COLUMNS = (
    Column("Row", 7, "right"),
    Column("Truth", 10, share=1),
    Column("Taken for", 10, share=1),
    Column("Sure", 6, "right", rank=1),
)
_NUMBERS = (
    Column("Row", 7, "right"),
    Column("Truth", 9, "right"),
    Column("Predicted", 9, "right"),
    Column("Off by", 9, "right"),
)


class ErrorsTab(JudgedTab):
    """A table of errors beside what was shown."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "all", "All errors", show=False)]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.table = Table(_COLUMNS)
        self.gallery = Gallery()
        self.facts = Facts()
        self.missing = Notice()
        self.foot = Foot()
        self._errors: list[Mapping[str, Any]] = []
        self._inputs = Reader(self, bridge, self._no_inputs)

    def compose(self) -> ComposeResult:
        """Errors at the left, inputs at the right."""
        self.missing.display = self.facts.display = False
        yield self.notice
        with Horizontal():
            yield Vertical(self.table, classes="errors-list")
            yield Vertical(self.missing, self.gallery, self.facts, classes="errors-inputs")
        yield self.foot

    def load(self) -> None:
        """From the report; what was shown is read for the rows under the cursor."""
        judged = self.judged
        if judged is None:
            return
        self._errors = errors_of(judged)
        columns = _NUMBERS if judged.is_regression else _COLUMNS
        self.table.restructure(columns)
        self.table.show([error_row(place, one, judged) for place, one in enumerate(self._errors)])
        cell = judged.cell
        what = f"{cell[0]} → {cell[1]}" if cell else "All classes" if not judged.is_regression else "All rows"
        self.foot.show(
            f"{what}: {len(self._errors)} worst errors that were kept", "a all errors" if cell else ""
        )
        self.notice.display = not self._errors
        if not self._errors:
            self.notice.say(
                "None of these errors was kept", more="A report keeps the 100 worst: a shows them."
            )
        self._look()

    def focus_inside(self) -> None:
        """The table takes the keys."""
        self.table.focus()

    def action_all(self) -> None:
        """Those of all cells."""
        self.post_message(OpenErrors(None))

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Show what the model was shown there."""
        event.stop()
        self._look()

    def on_table_opened(self, event: Table.Opened) -> None:
        """There is nothing further inside."""
        event.stop()

    def _look(self) -> None:
        judged = self.judged
        rows = rows_of(self._errors[self.table.cursor : self.table.cursor + MOST])
        if judged is None or not rows:
            self.gallery.show(())
            return
        catalog = self.bridge.catalog
        self._inputs.ask(lambda: read_inputs(catalog, judged, rows), self._show_inputs)

    def _show_inputs(self, found: Inputs) -> None:
        if self.judged is None or found.key[0] != self.judged.id:
            return
        self.missing.display = False
        self.gallery.display, self.facts.display = found.cells is None, found.cells is not None
        by_row = {one.get("index"): one for one in self._errors}
        if found.cells is not None:
            error = by_row.get(found.key[1][0], {})
            self.facts.show(_cells(found.key[1][0], error, found.cells))
        else:
            self.gallery.show(
                [
                    Picture(pixels, caption(by_row.get(row, {})), "" if place == 0 else "muted")
                    for place, (row, pixels) in enumerate(zip(found.key[1], found.pictures, strict=True))
                ]
            )

    def _no_inputs(self, error: CloudtuiError) -> None:
        self.gallery.display = self.facts.display = False
        self.missing.display = True
        self.missing.say(clean_line(error.message), more=clean_line(error.hint))


def error_row(place: int, one: Mapping[str, Any], judged: Judged) -> Row:
    """An error as cells."""
    truth, predicted = one.get("truth"), one.get("predicted")
    last = fmt.number(number(one.get("confidence")))
    if judged.is_regression:
        a, b = number(truth), number(predicted)
        last = fmt.number(b - a) if a is not None and b is not None else fmt.MISSING
        truth, predicted = a, b
    return Row(
        f"{place}",
        (
            (fmt.count(number(one.get("index"))), "muted"),
            (label(truth), ""),
            (label(predicted), "bad" if not judged.is_regression else ""),
            (last, ""),
        ),
    )


def _cells(row: int, error: Mapping[str, Any], cells: Mapping[str, Any]) -> list[Fact]:
    facts = [
        Fact(f"Row {row:,}", style="heading"),
        Fact("truth", label(error.get("truth"))),
        Fact("predicted", label(error.get("predicted")), "bad"),
        Fact("What it was shown", style="heading"),
    ]
    return facts + [
        Fact(clean_line(str(name), 26), label(value if isinstance(value, float | None) else str(value)))
        for name, value in cells.items()
    ]
