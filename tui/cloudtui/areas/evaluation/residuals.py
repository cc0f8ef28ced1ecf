"""The residuals tab: by how much predicted numbers miss, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged_tab import BarsTab
from cloudtui.reported import mappings, number
from cloudtui.widgets.bars import Bar


class ResidualsTab(BarsTab):
    """A histogram."""

    def load(self) -> None:
        """From the report."""
        self.draw(
            residual_bars(self.judged.report if self.judged else {}),
            "Predicted minus truth",
            "How many rows miss by so much; the best lies around 0.",
            none="No residuals",
        )


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
