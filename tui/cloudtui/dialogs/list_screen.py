"""A list over the desktop, read again whenever something was written while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from cloudtui.bridge import Bridge, Reader
from cloudtui.dialogs import STYLES
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.head import Head
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.table import Column, Table
from cloudtui_engine.errors import CloudtuiError


class ListScreen(ModalScreen[None]):
    """Head, table and foot; a notice in the table's place where there is nothing, or it cannot be read."""

    CSS_PATH = STYLES
    HEADING: ClassVar[str]
    COLUMNS: ClassVar[Sequence[Column]]
    LOOK_S: ClassVar[float] = 1.0

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._reader = Reader(self, bridge, self.fail)
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

    def look(self) -> None:
        """Read what was written since the last look."""
        raise NotImplementedError

    def fail(self, error: CloudtuiError) -> None:
        """Say why it cannot be read."""
        self.notice.fail(error)
        self.show_notice(True)

    def show_notice(self, wanted: bool) -> None:
        """The notice instead of the table, or the table again."""
        self.notice.display, self.table.display = wanted, not wanted
