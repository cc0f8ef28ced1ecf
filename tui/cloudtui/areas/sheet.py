"""A detail that is one sheet of facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.app import ComposeResult

from cloudtui.areas.headed import Headed
from cloudtui.areas.parts import Detail
from cloudtui.widgets.facts import Fact, Facts
from cloudtui.widgets.head import Head
from cloudtui_engine.sanitize import clean_line


class SheetDetail(Headed, Detail):
    """Facts of one record under its name."""

    def __init__(self, facts_of: Callable[[Any], Sequence[Fact]]) -> None:
        super().__init__(classes="detail")
        self._facts_of = facts_of
        self.record: Any = None
        self.head = Head("")
        self.sheet = Facts()

    def compose(self) -> ComposeResult:
        """The name above the facts."""
        yield self.head
        yield self.sheet

    def show(self, record: Any) -> None:
        """Show this record."""
        self.record = record
        self.sheet.display = record is not None
        self.tick()

    def tick(self) -> None:
        """Ages are older."""
        record = self.record
        self.head.show(clean_line(record.name, 60).replace(" ", "\u00a0") if record is not None else "")
        if record is not None:
            self.sheet.show(self._facts_of(record))

    def focus_inside(self) -> None:
        """The sheet takes the keys."""
        self.sheet.focus()
