"""What the tabs with charts have in common: a grid of charts, a sheet beside it, or a notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal

from cloudtui.areas.runs.chart_grid import ChartGrid
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.chart import Plot
from cloudtui.widgets.facts import Facts


class ChartedTab(RunTab):
    """Charts at the left, a sheet of what concerns all of them at the right."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.grid = ChartGrid()
        self.side = Facts(classes="side")
        self.side.can_focus = False

    def compose(self) -> ComposeResult:
        """The notice stands where there is no chart."""
        yield self.notice
        with Horizontal():
            yield self.grid
            yield self.side

    def draw(self, groups: Mapping[str, Sequence[Plot]]) -> bool:
        """Show these charts; False where there is none and the notice needs a text."""
        self.notice.display = not groups
        self.grid.display = bool(groups)
        if groups:
            self.grid.show(groups)
            if self.has_focus:  # there was no chart yet when the keys came here
                self.call_after_refresh(self.focus_inside)
        return bool(groups)

    def on_focus(self) -> None:
        """The charts may have come since the keys were sent here."""
        chart = self.grid.first()
        if chart is not None:
            self.call_after_refresh(chart.focus)

    def focus_inside(self) -> None:
        """The first chart takes the keys."""
        (self.grid.first() or self).focus()
