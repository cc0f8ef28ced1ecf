"""A tab of a run's detail."""

from __future__ import annotations

from textual.message import Message

from cloudtui.areas.tab import Tab
from cloudtui_engine.records.run import Run


class RunTab(Tab):
    """A view of one run."""

    class Moved(Message):
        """The cursor of this tab stands at another moment of the run, or nowhere (None)."""

        def __init__(self, tab: RunTab, moment: float | None, *, pinned: bool) -> None:
            super().__init__()
            self.tab = tab
            self.moment = moment
            self.pinned = pinned
            """Put there by a key or a click, not by a mouse that passes."""

    @property
    def run_shown(self) -> Run | None:
        """The run."""
        return self.record if isinstance(self.record, Run) else None

    @property
    def span(self) -> tuple[float, float] | None:
        """The first and the last moment that this tab shows something of."""
        return None

    def show_moment(self, moment: float | None, *, reveal: bool = False) -> None:
        """Put the cursor at a moment; with `reveal` show nothing that came later. Some tabs have no times."""
