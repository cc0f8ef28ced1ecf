"""What the tabs of a detail have in common."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from cloudtui.bridge import Bridge, Reader
from cloudtui.widgets.notice import Notice
from cloudtui_engine.errors import CloudtuiError


class Tab(Container, can_focus=True):
    """A view of one record: a body, or a notice in its place. A tab of more parts composes them itself."""

    body: Widget | None = None

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="tab")
        self.bridge = bridge
        self.record: Any = None
        self.reader = Reader(self, bridge, self.fail)
        self.notice = Notice()
        self.notice.display = False

    def compose(self) -> ComposeResult:
        """Both; which of them is seen is said by `show_body`."""
        yield self.notice
        if self.body is not None:
            yield self.body

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

    def show_body(self, there: object) -> bool:
        """Show the body where there is something to be seen in it, else the notice; says which."""
        seen = bool(there)
        self.notice.display = not seen
        if self.body is not None:
            self.body.display = seen
            if seen and self.has_focus:  # the keys were sent here before there was a body
                self.body.focus()
        return seen

    def focus_inside(self) -> None:
        """The body takes the keys, where it is seen."""
        (self.body if self.body is not None and self.body.display else self).focus()

    def fail(self, error: CloudtuiError) -> None:
        """A read failed: what was read before does not stand beside that."""
        self.notice.fail(error)
        self.show_body(False)
