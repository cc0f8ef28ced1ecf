"""The calibration tab: where the model says 0.9, is it right nine times of ten?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged_tab import BarsTab
from cloudtui.reported import mapping, mappings, number
from cloudtui.widgets.bars import Bar


class CalibrationTab(BarsTab):
    """A bar a bin: how often it was right; the mark is how sure it was."""

    def load(self) -> None:
        """From the report."""
        report = self.judged.report if self.judged else {}
        ece = number(mapping(report.get("metrics")).get("ece"))
        self.draw(
            calibration_bars(report),
            "Calibration"
            if ece is None
            else f"How sure it is misses how often it is right by {ece * 100:.1f} points on average",
            "█ how often it was right   ┃ how sure it was",
            none="No calibration",
        )


def calibration_bars(report: Mapping[str, Any]) -> list[Bar]:
    """The bins that hold rows, the surest first."""
    found = []
    for one in reversed(mappings(report.get("calibration"))):
        low, high, rows = (number(one.get(key)) for key in ("low", "high", "n"))
        sure, right = number(one.get("confidence")), number(one.get("accuracy"))
        if low is None or high is None or not rows or sure is None or right is None:
            continue
        off = abs(sure - right)
        text = f"says {sure:.3f}  is {right:.3f}  {fmt.count(rows):>7} rows"
        found.append(Bar(f"{low:.2f}–{high:.2f}", right, text, sure, "accent" if off < 0.05 else "bad"))
    return found
