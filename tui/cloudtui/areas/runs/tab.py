"""A tab of a run's detail."""

from __future__ import annotations

from cloudtui.areas.tab import Tab
from cloudtui_engine.records.run import Run


class RunTab(Tab):
    """A view of one run."""

    @property
    def run_shown(self) -> Run | None:
        """The run."""
        return self.record if isinstance(self.record, Run) else None
