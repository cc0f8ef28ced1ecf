"""How the home stands: now, its budgets, its days; and the line under the cursor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from cloudtui.areas.cost import books
from cloudtui.areas.cost.rows import Entry
from cloudtui.areas.headed import Headed
from cloudtui.areas.parts import Detail
from cloudtui.bridge import Bridge
from cloudtui.widgets.bars import Bars
from cloudtui.widgets.facts import Facts
from cloudtui.widgets.head import Head
from cloudtui.widgets.lines import Lines, Runs
from cloudtui.widgets.pillars import Pillars


class Standing(Lines):
    """Three lines: now, today, this month; and one where there is no budget."""

    DEFAULT_CSS = "Standing { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[str, str, str]] = []

    def show(self, lines: list[tuple[str, str, str]]) -> None:
        """Draw these."""
        if lines != self._lines:
            self._lines = lines
            self.refresh(layout=True)

    def get_content_height(self, *_sizes: object) -> int:
        """A line each."""
        return len(self._lines)

    def runs(self, y: int) -> Runs:
        """What, how much, and what it comes to."""
        if y >= len(self._lines):
            return ()
        what, much, more = self._lines[y]
        width = max(len(amount) for _, amount, _ in self._lines)
        return [(f" {what:<6} ", "muted"), (f"{much:>{width}}", "title"), (f"   {more}", "muted")]


class CostDetail(Headed, Detail):
    """The books beside the list."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="detail")
        self.bridge = bridge
        self.record: Entry | None = None
        self.head = Head("")
        self.standing, self.budgets, self.days = Standing(), Bars(), Pillars()
        self.sheet = Facts()

    def compose(self) -> ComposeResult:
        """The books; the line under the cursor below or beside them."""
        yield self.head
        with Vertical(classes="books-body"):
            with Vertical(classes="books"):
                yield self.standing
                yield self.budgets
                yield self.days
            yield self.sheet

    def show(self, record: Entry | None) -> None:
        """Show the statement that this line stands in."""
        self.record = record
        self.tick()

    def tick(self) -> None:
        """Ages are older."""
        entry = self.record
        if entry is None:
            return
        told = entry.statement
        self.head.show("Books", "", books.as_of(told))
        bars = books.budget_bars(told)
        none = [] if bars else [("Budget", "none", "b sets one: what would cost more is not rented then")]
        self.standing.show([*books.standing(told), *none])
        self.budgets.show(bars)
        self.days.show(*books.pillars(told))
        self.sheet.show(books.facts(entry, self.bridge.now()))

    def focus_inside(self) -> None:
        """The sheet takes the keys."""
        self.sheet.focus()
