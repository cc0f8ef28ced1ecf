"""What the tabs of an evaluation's detail have in common."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import VerticalScroll

from cloudtui.areas.evaluation.judged import Judged
from cloudtui.areas.tab import Tab
from cloudtui.bridge import Bridge
from cloudtui.widgets.bars import Bar, Bars
from cloudtui.widgets.notice import Notice


class JudgedTab(Tab):
    """A view of one evaluation."""

    @property
    def judged(self) -> Judged | None:
        """The evaluation."""
        return self.record if isinstance(self.record, Judged) else None


class BarsTab(JudgedTab):
    """Bars below a sentence that says how they are read."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bars = Bars()
        self.told = Notice()
        self.body = VerticalScroll(self.told, self.bars)

    def draw(self, bars: Sequence[Bar], what: str, how: str, *, none: str) -> None:
        """These bars and the sentence, or that there is `none`."""
        if self.show_body(bars):
            self.told.say(what, more=how)
            self.bars.show(bars)
        else:
            self.notice.say(none, more="The report has none that can be read.")
