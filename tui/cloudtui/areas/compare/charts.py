"""The charts tab: one metric of all runs over each other; of groups the mean within its band."""

from __future__ import annotations

import time

from textual import events
from textual.containers import Container
from textual.timer import Timer

from cloudtui import format as fmt
from cloudtui.areas.compare.compared import Compared
from cloudtui.areas.compare.curves import lines
from cloudtui.areas.compare.legend import Entry, Legend
from cloudtui.areas.compare.tab import CompareTab
from cloudtui.bridge import Bridge
from cloudtui.comparing import spread
from cloudtui.widgets.chart import Chart, Plot
from cloudtui.widgets.smoothing import USUAL
from cloudtui_engine.records.run import Series
from cloudtui_engine.sanitize import clean_line

_REST = 8.0
"""Between two reads of long histories at least so many times what the last one took."""
_BESIDE, _LOW = 100, 24
"""From which width on, and below which height, the legend stands beside the chart."""

Wanted = tuple[object, ...]


class ChartsTab(CompareTab):
    """A chart and its legend."""

    DEFAULT_CSS = """
    ChartsTab .overlay { height: 1fr; layout: vertical; padding: 0 1; }
    ChartsTab .overlay Chart { height: 1fr; width: 1fr; }
    ChartsTab.-beside .overlay { layout: horizontal; }
    ChartsTab.-beside Legend { width: 46; padding: 1 0 0 2; }
    """

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.chart = Chart("")
        self.legend = Legend()
        self.body = self.overlay = Container(self.chart, self.legend, classes="overlay")
        self._drawn: Wanted = ()
        self._read_again: Timer | None = None

    def load(self) -> None:
        """Read the series of the metric, where another is wanted or there are more points than drawn."""
        compared = self.compared
        if compared is None:
            return
        if not self.show_body(compared.metric is not None):
            self.notice.say("No metrics yet", more="None of these runs has logged one.")
            return
        wanted = _wanted(compared)
        if wanted == self._drawn:
            return
        if wanted[:1] != self._drawn[:1] and self._read_again is not None:
            self._stop_resting()
        if self._read_again is None:
            self.reader.ask(lambda: self._read(compared, wanted), self._show)

    def focus_inside(self) -> None:
        """The chart takes the keys."""
        (self.chart if self.overlay.display else self).focus()

    def on_resize(self, event: events.Resize) -> None:
        """The legend goes where there is room for it."""
        self.set_class(event.size.width >= _BESIDE and event.size.height < _LOW, "-beside")
        self._fit_legend()

    def _read(self, compared: Compared, wanted: Wanted) -> tuple[Compared, Wanted, list[Plot], float]:
        begun = time.perf_counter()
        key, metrics = compared.metric or "", self.bridge.catalog.metrics
        series: list[Series | None] = []
        for run in compared.found.runs:
            found = metrics.series(run.id, [key], arrays=True) if key in run.metrics else []
            series.append(found[0] if found else None)
        return compared, wanted, lines(compared, series), time.perf_counter() - begun

    def _show(self, result: tuple[Compared, Wanted, list[Plot], float]) -> None:
        compared, wanted, plots, took = result
        if self.compared is None or _wanted(self.compared)[:1] != wanted[:1]:
            return
        if wanted[:1] != self._drawn[:1]:
            self.chart.title = clean_line(compared.metric or "", 60)
            # A band is drawn as a line smoothed over its envelope: hardly, for its mean is one already.
            self.chart.smooth, self.chart.strength = (True, 0) if compared.groups else (None, USUAL)
        self._drawn = wanted
        self._stop_resting()
        self._read_again = self.set_timer(max(0.2, took * _REST), self._rested)
        self.chart.show(plots)
        self.legend.show(*named(compared))
        self._fit_legend()

    def _fit_legend(self) -> None:
        self.legend.styles.height = "1fr" if self.has_class("-beside") else self.legend.height

    def _stop_resting(self) -> None:
        if self._read_again is not None:
            self._read_again.stop()
            self._read_again = None

    def _rested(self) -> None:
        self._read_again = None
        self.load()


def _wanted(compared: Compared) -> Wanted:
    """What is drawn, then how many points there are of it."""
    key = compared.metric or ""
    counts = tuple(run.metrics[key].count if key in run.metrics else 0 for run in compared.found.runs)
    return (key, compared.way, tuple(run.id for run in compared.found.runs), compared.drawn), counts


def named(compared: Compared) -> tuple[list[Entry], list[str]]:
    """The entries of the legend, and what is to be said below them."""
    outcome = compared.outcome
    figures = outcome.last if outcome else ()
    entries = []
    for index in compared.drawn:
        if compared.groups:
            group = compared.groups[index]
            found = spread([figures[place] for place in group.places])
            value = f"{fmt.number(found.mean)}  {found.n} {'run' if found.n == 1 else 'runs'}"
            entries.append(Entry(*compared.sign(index), clean_line(group.label, 80), value))
        else:
            name = clean_line(compared.found.runs[index].name, 80)
            entries.append(Entry(*compared.sign(index), name, fmt.number(figures[index])))
    notes = []
    if len(compared.groups) > len(compared.drawn):
        notes.append(f"The {len(compared.drawn)} best of {len(compared.groups)} groups.")
    lacking = len(compared.found.runs) - (outcome.having if outcome else 0)
    if lacking:
        notes.append(
            f"{lacking} of {len(compared.found.runs)} runs {'has' if lacking == 1 else 'have'} none of it."
        )
    if compared.groups:
        notes.append("Means, each in a band of ± one deviation.")
    return entries, notes
