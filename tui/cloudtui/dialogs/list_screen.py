"""A list over the desktop, read again whenever something was written while it is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from cloudtui import format as fmt
from cloudtui.bridge import Bridge, Reader
from cloudtui.dialogs import STYLES
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.head import Head
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

Record = TypeVar("Record")


class ListScreen(ModalScreen[None], Generic[Record]):
    """Head, table and foot; a notice in the table's place where there is nothing, or it cannot be read."""

    CSS_PATH = STYLES
    HEADING: ClassVar[str]
    COLUMNS: ClassVar[Sequence[Column]]
    KEYS: ClassVar[str]
    EMPTY: ClassVar[tuple[str, str, str]]
    """Where there is nothing: that, what would be here, and how to begin."""
    LOOK_S: ClassVar[float] = 1.0

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._reader = Reader(self, bridge, self.fail)
        self.records: dict[str, Record] = {}
        self.head = Head(self.HEADING)
        self.notice = Notice()
        self.table = Table(self.COLUMNS)
        self.foot = Foot()

    def compose(self) -> ComposeResult:
        """One below the other."""
        with Vertical(classes="action-log"):
            yield self.head
            yield self.notice
            yield self.table
            yield self.foot

    def on_mount(self) -> None:
        """Read it now, and look again and again."""
        self.notice.display = False
        self.table.focus()
        self.look()
        self.set_interval(self.LOOK_S, self.look)

    # What each list says of itself

    def look(self) -> None:
        """Read what was written since the last look."""
        raise NotImplementedError

    def row(self, key: str, record: Record, now: float) -> Row:
        """One of them as cells."""
        raise NotImplementedError

    def said(self) -> str:
        """The line below the list, of the one under the cursor or of all."""
        return ""

    def summary(self) -> str:
        """What stands behind their number."""
        return ""

    def age(self, now: float) -> tuple[str, str]:
        """How old the list may be, and in which style."""
        del now
        return "", ""

    def open(self) -> None:
        """Enter or a double click on one."""

    # What all of them do

    @property
    def chosen(self) -> Record | None:
        """The one under the cursor."""
        return self.records.get(self.table.cursor_key or "")

    def show(self, found: Iterable[tuple[str, Record]]) -> None:
        """These are all, by their keys."""
        self.records = dict(found)
        self._show_notice(not self.records)
        if not self.records:
            what, more, begin = self.EMPTY
            self.notice.say(what, more=more, begin=begin)
        self.draw()

    def draw(self) -> None:
        """The same ones again: their ages are others."""
        now = self._bridge.now()
        self.head.show(f"{self.HEADING} {fmt.count(len(self.records))}{self.summary()}", "", *self.age(now))
        self.table.show([self.row(key, one, now) for key, one in self.records.items()])
        self.on_table_highlighted()

    def on_table_highlighted(self) -> None:
        """Another row."""
        self.foot.show(clean_line(self.said(), 200), self.KEYS)

    def on_table_opened(self) -> None:
        """Enter or a double click."""
        self.open()

    def fail(self, error: CloudtuiError) -> None:
        """Say why it cannot be read."""
        self.notice.fail(error)
        self._show_notice(True)

    def say_error(self, error: CloudtuiError) -> None:
        """What failed here, and what to do."""
        hint, message = clean_line(error.hint) or " ", clean_line(error.message)
        self.notify(hint, title=message, severity="error", timeout=12, markup=False)

    def _show_notice(self, wanted: bool) -> None:
        """The notice instead of the table, or the table again."""
        self.notice.display, self.table.display = wanted, not wanted
