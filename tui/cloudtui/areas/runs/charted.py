"""What the tabs with charts have in common: a grid of charts, a sheet beside it, or a notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal

from cloudtui.areas.runs.chart_grid import ChartGrid
from cloudtui.areas.runs.moment import Clock
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.axes import Axis
from cloudtui.widgets.chart import Plot
from cloudtui.widgets.facts import Facts


class ChartedTab(RunTab):
    """Charts at the left, a sheet of what concerns all of them at the right."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← →", "read"),
        ("+ -", "zoom"),
        ("space", "replay"),
        ("l", "log axis"),
        ("m , .", "smooth"),
        ("esc", "list"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.grid = ChartGrid(self.HINTS)
        self.side = Facts(classes="side")
        self.side.can_focus = False
        self.clock: Clock | None = None
        self._cursor: tuple[float | None, bool] = (None, False)

    def compose(self) -> ComposeResult:
        """The notice stands where there is no chart."""
        yield self.notice
        with Horizontal():
            yield self.grid
            yield self.side

    def draw(
        self, groups: Mapping[str, Sequence[Plot]], axis: Axis = "step", clock: Clock | None = None
    ) -> bool:
        """Show these charts; False where there is none and the notice needs a text."""
        self.clock = clock
        self.notice.display = not groups
        self.grid.display = bool(groups)
        if groups:
            self.grid.show(groups, axis)
            if self._cursor[0] is not None:
                self.show_moment(self._cursor[0], reveal=self._cursor[1])
            if self.has_focus:  # there was no chart yet when the keys came here
                self.call_after_refresh(self.focus_inside)
        return bool(groups)

    @property
    def span(self) -> tuple[float, float] | None:
        """From the first point to the last."""
        return self.clock.span if self.clock is not None else None

    def show_moment(self, moment: float | None, *, reveal: bool = False) -> None:
        """Crosshairs at the last place that was reached by then."""
        self._cursor = (moment, reveal)
        place = self.clock.place(moment) if self.clock is not None and moment is not None else None
        self.grid.point(place, reveal=reveal and self.clock is not None)

    def on_chart_grid_pointed(self, event: ChartGrid.Pointed) -> None:
        """The other tabs may show the same moment."""
        event.stop()
        moment = self.clock.moment(event.at) if self.clock is not None and event.at is not None else None
        if event.pinned:
            self._cursor = (moment, self._cursor[1])
        self.post_message(self.Moved(self, moment, pinned=event.pinned))

    def on_focus(self) -> None:
        """The charts may have come since the keys were sent here."""
        chart = self.grid.first()
        if chart is not None:
            self.call_after_refresh(chart.focus)

    def focus_inside(self) -> None:
        """The first chart takes the keys."""
        (self.grid.first() or self).focus()
