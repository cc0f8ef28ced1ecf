"""The difference tab: another model on the same rows, what follows, and each metric and class of both."""

from __future__ import annotations

from textual.app import ComposeResult

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.bridge import Bridge
from cloudtui.differing import Figure, ModelDifference, change, difference, sentences, shown, with_answers
from cloudtui.reported import TITLES
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.sanitize import clean_line

_MARKS = {True: ("▲ better", "good"), False: ("▼ worse", "bad"), None: ("", "")}


class DifferenceTab(JudgedTab):
    """A sentence above a table; row by row is read in a thread."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.told = Notice()
        self.table = Table(())

    def compose(self) -> ComposeResult:
        """What follows, then the figures that it follows from."""
        yield self.notice
        yield self.told
        yield self.table

    def load(self) -> None:
        """From both reports; then from their answers, where these lie here."""
        judged = self.judged
        if judged is None or judged.beside is None:
            return
        try:
            found = difference(judged.evaluation, judged.beside)
        except RefusedError as error:
            self._show(value=False)
            self.notice.fail(error)
            return
        self._show(value=True)
        self.told.say("Reading what both answered…")
        self.table.restructure(_columns(found))
        self.table.show(figure_rows(found))
        catalog, key = self.bridge.catalog, (judged.id, judged.beside.run_id)
        self.reader.ask(lambda: (key, with_answers(catalog, found)), self._say)

    def focus_inside(self) -> None:
        """The table takes the keys."""
        (self.table if self.table.display else self).focus()

    def on_table_opened(self, event: Table.Opened) -> None:
        """There is nothing further inside."""
        event.stop()

    def _show(self, *, value: bool) -> None:
        self.told.display = self.table.display = value
        self.notice.display = not value

    def _say(self, answer: tuple[tuple[str, str], ModelDifference]) -> None:
        (shown, other), found = answer
        judged = self.judged
        if judged is None or judged.beside is None or (judged.id, judged.beside.run_id) != (shown, other):
            return
        first, *rest = [one for one in sentences(found) if one] or [""]
        self.told.say(first, more="\n".join(rest))


def _columns(found: ModelDifference) -> tuple[Column, ...]:
    one, other = clean_line(found.first.model, 40), clean_line(found.second.model, 40)
    return (
        Column("Measure", 18, share=1),
        Column(one, 10, "right", share=1, rank=1),
        Column(other, 10, "right", share=1, rank=1),
        Column("Delta", 9, "right"),
        Column("", 8),
        Column("Rows", 7, "right", rank=2),
    )


def figure_rows(found: ModelDifference) -> list[Row]:
    """A line a metric, then one a class, told by its F1: those that changed most first."""
    rows = [_row(one.key, TITLES.get(one.key, clean_line(one.key, 30)), one, "") for one in found.metrics]
    ordered = sorted(found.classes, key=lambda one: -abs(one.figures[-1].delta or 0.0))
    return rows + [
        _row(f"class:{place}", f"F1 of {one.label}", one.figures[-1], fmt.count(one.rows))
        for place, one in enumerate(ordered)
    ]


def _row(key: str, title: str, one: Figure, rows: str) -> Row:
    mark, style = _MARKS[one.better]
    values = [(shown(one.key, value), "") for value in (one.first, one.second)]
    return Row(
        key,
        (
            (title, "muted" if rows else ""), *values, (change(one), style), (mark, style), (rows, "muted"),
        ),
    )  # fmt: skip
