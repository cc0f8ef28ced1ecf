"""Charts beside and below each other that share zoom and crosshair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

from cloudtui.widgets.axes import Axis
from cloudtui.widgets.chart import Chart, Plot

_WIDTH, _HEIGHT = 34, 9
MOST = 24
"""Charts in a grid; a run with more series names the rest."""


class ChartGrid(VerticalScroll, can_focus=False):
    """A chart a group. A group that stays keeps its chart, and so its zoom and its place."""

    DEFAULT_CSS = "ChartGrid { layout: grid; grid-gutter: 0 2; padding: 0 1; }"

    class Pointed(Message):
        """The crosshair of all charts moved, or went away (`at` is None)."""

        def __init__(self, at: float | None, *, pinned: bool) -> None:
            super().__init__()
            self.at = at
            self.pinned = pinned

    def __init__(self, hints: tuple[tuple[str, str], ...] = Chart.HINTS) -> None:
        super().__init__()
        self._hints = hints
        self._charts: dict[str, Chart] = {}

    def show(self, groups: Mapping[str, Sequence[Plot]], axis: Axis = "step") -> None:
        """Draw these groups in this order."""
        names = list(groups)[:MOST]
        if names != list(self._charts):
            self._rebuild(names)
        for name in names:
            self._charts[name].show(groups[name], axis)

    def _rebuild(self, names: Sequence[str]) -> None:
        self.remove_children([chart for name, chart in self._charts.items() if name not in names])
        charts = {name: self._charts.get(name) or Chart(name) for name in names}
        fresh = [chart for name, chart in charts.items() if name not in self._charts]
        like = self.first()
        self._charts = charts
        for chart in fresh:
            chart.HINTS = self._hints
            if like is not None:  # what is new shows what the others show
                chart.smooth_as(like)
                chart.show_part(like.zoom)
        if fresh:
            self.mount_all(fresh)
            order: dict[Widget, int] = {chart: index for index, chart in enumerate(charts.values())}
            self.call_after_refresh(self._sort, order)
        self._arrange()

    def _sort(self, order: Mapping[Widget, int]) -> None:
        self.sort_children(key=lambda widget: order.get(widget, len(order)))

    def _arrange(self) -> None:
        count = len(self._charts)
        if not count:
            return
        columns = max(1, min(count, self.size.width // _WIDTH))
        rows = -(-count // columns)
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = f"{max(_HEIGHT, self.size.height // rows)}"

    def on_resize(self) -> None:
        """Other charts fit beside each other."""
        self._arrange()

    def first(self) -> Chart | None:
        """The first chart."""
        return next(iter(self._charts.values()), None)

    def point(self, at: float | None, *, reveal: bool = False) -> None:
        """Put the crosshair of all charts here, and with `reveal` draw the curves no farther.

        None is nowhere: no crosshair, and with `reveal` no curve yet.
        """
        until = None if not reveal else -math.inf if at is None else at
        for chart in self._charts.values():
            chart.follow(at)
            chart.pinned = at
            chart.reveal(until)

    def on_chart_pointed(self, event: Chart.Pointed) -> None:
        """The crosshair of one is that of all."""
        event.stop()
        for chart in self._charts.values():
            if event.pinned:
                chart.pinned = event.step
            if chart is not event.chart:
                chart.follow(event.step)
        self.post_message(self.Pointed(event.step, pinned=event.pinned))

    def on_chart_smoothed(self, event: Chart.Smoothed) -> None:
        """All are smoothed alike."""
        event.stop()
        for chart in self._charts.values():
            chart.smooth_as(event.chart)

    def on_chart_zoomed(self, event: Chart.Zoomed) -> None:
        """All show the same part of the x axis."""
        event.stop()
        for chart in self._charts.values():
            if chart is not event.chart:
                chart.show_part(event.zoom)
