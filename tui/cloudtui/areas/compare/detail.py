"""What is found by comparing: the settings that differ, the curves, what each run reached."""

from __future__ import annotations

from typing import ClassVar

from cloudtui.areas.compare.compared import Compared, Member
from cloudtui.areas.compare.look import LookAt
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui.comparing import ALIKE
from cloudtui_engine.sanitize import clean_line

_HERE = "cloudtui.areas.compare."
_ROOM = 90
"""Cells from which on the heading is a sentence."""


class CompareDetail(TabbedDetail):
    """The tabs of the comparison; they stay what they are while the cursor moves over its runs."""

    TABS: ClassVar[dict[str, str]] = {
        "Differences": _HERE + "differences:DifferencesTab",
        "Charts": _HERE + "charts:ChartsTab",
        "Metrics": _HERE + "metrics:MetricsTab",
        "Parallel": _HERE + "parallel:ParallelTab",
    }

    def heading(self, record: Member, now: float) -> tuple[str, str, str]:  # noqa: ARG002 - as the detail has it
        """How many runs; how they are grouped and how many settings are the same in all of them."""
        compared = record.compared
        runs = len(compared.found.runs)
        said = about(compared) if self.size.width >= _ROOM else in_short(compared)
        return f"{runs} {'run' if runs == 1 else 'runs'}", said, "muted"

    def on_look_at(self, event: LookAt) -> None:  # noqa: ARG002 - the area takes the metric from it
        """Its curves are what was asked for."""
        self.open_tab("Charts")


def in_short(compared: Compared) -> str:
    """`3 groups · 14 equal`."""
    if len(compared.found.runs) < 2:
        return ""
    grouped = f"{len(compared.groups)} {'group' if len(compared.groups) == 1 else 'groups'} · "
    return f"{grouped if compared.way else ''}{compared.found.equal} equal"


def about(compared: Compared) -> str:
    """`3 groups by lr · 14 settings are equal`."""
    equal, said = compared.found.equal, []
    if compared.way:
        by = "all but the seed" if compared.way == ALIKE else clean_line(compared.way, 24)
        many = len(compared.groups)
        said.append(f"{many} {'group' if many == 1 else 'groups'} by {by}")
    if len(compared.found.runs) > 1:
        said.append(f"{equal} {'setting is' if equal == 1 else 'settings are'} equal")
    return " · ".join(said)
