"""A tab of an evaluation's detail."""

from __future__ import annotations

from cloudtui.areas.evaluation.judged import Judged
from cloudtui.areas.tab import Tab


class JudgedTab(Tab):
    """A view of one evaluation."""

    @property
    def judged(self) -> Judged | None:
        """The evaluation."""
        return self.record if isinstance(self.record, Judged) else None
