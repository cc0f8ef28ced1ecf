"""The residuals tab: by how much predicted numbers miss, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.containers import VerticalScroll

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.bridge import Bridge
from cloudtui.reported import mappings, number
from cloudtui.widgets.bars import Bar, Bars
from cloudtui.widgets.notice import Notice


class ResidualsTab(JudgedTab):
    """A histogram."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bars = Bars()
        self.told = Notice()
        self.body = self.scroll = VerticalScroll(self.told, self.bars)

    def load(self) -> None:
        """From the report."""
        bars = residual_bars(self.judged.report if self.judged else {})
        if not self.show_body(bars):
            self.notice.say("No residuals", more="The report has none that can be read.")
            return
        self.told.say("Predicted minus truth", more="How many rows miss by so much; the best lies around 0.")
        self.bars.show(bars)


def residual_bars(report: Mapping[str, Any]) -> list[Bar]:
    """A bar a bin, as long as its rows."""
    bins = mappings(report.get("residuals"))
    most = max((number(one.get("n")) or 0.0 for one in bins), default=0.0)
    found = []
    for one in bins:
        low, high, rows = (number(one.get(key)) for key in ("low", "high", "n"))
        if low is None or high is None or rows is None:
            continue
        near = low <= 0 <= high
        name = f"{fmt.number(low)} … {fmt.number(high)}"
        found.append(
            Bar(name, rows / most if most else 0.0, fmt.count(rows), style="good" if near else "accent")
        )
    return found
