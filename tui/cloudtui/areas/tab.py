"""What the tabs of a detail have in common."""

from __future__ import annotations

from typing import Any

from textual.containers import Container

from cloudtui.bridge import Bridge, Reader
from cloudtui.widgets.notice import Notice
from cloudtui_engine.errors import CloudtuiError


class Tab(Container, can_focus=True):
    """A view of one record."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="tab")
        self.bridge = bridge
        self.record: Any = None
        self.reader = Reader(self, bridge, self.fail)
        self.notice = Notice()
        self.notice.display = False

    @property
    def shown_id(self) -> str | None:
        """The id of what is shown."""
        return self.record.id if self.record is not None else None

    def show(self, record: Any) -> None:
        """Show this record, which may be the one that is shown, as it is now."""
        self.record = record
        if self.is_mounted:
            self.load()

    def on_mount(self) -> None:
        """Show what was asked for before this was there."""
        self.load()

    def load(self) -> None:
        """Show, or read, what this tab has of the record."""
        raise NotImplementedError

    def changed(self, topics: frozenset[str]) -> None:
        """Something was written."""

    def tick(self) -> None:
        """A second went by."""

    def focus_inside(self) -> None:
        """Take the keys."""
        self.focus()

    def fail(self, error: CloudtuiError) -> None:
        """A read failed."""
        self.notice.fail(error)
        self.notice.display = True
