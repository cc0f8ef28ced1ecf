"""What the tabs of a run's detail have in common."""

from __future__ import annotations

from textual.containers import Container

from cloudtui.bridge import Bridge, Reader
from cloudtui.widgets.notice import Notice
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.run import Run


class RunTab(Container, can_focus=True):
    """A view of one run."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="tab")
        self.bridge = bridge
        self.run_shown: Run | None = None
        self.reader = Reader(self, bridge, self.fail)
        self.notice = Notice()
        self.notice.display = False

    @property
    def shown_id(self) -> str | None:
        """The run that is shown."""
        return self.run_shown.id if self.run_shown else None

    def show(self, run: Run) -> None:
        """Show this run, which may be the one that is shown, as it is now."""
        self.run_shown = run
        if self.is_mounted:
            self.load()

    def on_mount(self) -> None:
        """Show what was asked for before this was there."""
        self.load()

    def load(self) -> None:
        """Read what this tab shows of the run."""
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
