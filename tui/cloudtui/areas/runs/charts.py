"""The charts tab: every metric of the run, those of one name over each other; beside them the machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from cloudtui.areas.runs import over
from cloudtui.areas.runs.chart_grid import MOST
from cloudtui.areas.runs.charted import ChartedTab
from cloudtui.areas.runs.moment import Clock
from cloudtui.areas.runs.side import side_facts
from cloudtui.bridge import Bridge, Reader
from cloudtui.widgets.axes import Axis
from cloudtui.widgets.chart import Plot
from cloudtui_engine.records.run import Run, Series

_ORDER = ("loss", "accuracy")
_REST = 8.0
"""Between two reads of a long history at least so many times what the last one took."""
_LEAST_REST_S = 0.5
"""And at least so long: a curve that moves twice a second is live, and each frame of it costs a paint."""


class ChartsTab(ChartedTab):
    """The charts of the run's own metrics."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "turn_axis", "X axis", show=False)]

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        *ChartedTab.HINTS[:3],
        ("x", "x axis"),
        *ChartedTab.HINTS[3:],
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._drawn_for: str | None = None
        self._machines = Reader(self, bridge, self.fail)
        self._gpus: tuple[str | None, list[Mapping[str, Any]]] = (None, [])
        self._found: list[Series] = []
        self._axis: Axis = "step"
        self._missed = False
        self._next: Timer | None = None

    def load(self) -> None:
        """Read all series, unless a read is due soon anyway."""
        run = self.run_shown
        if run is None:
            return
        self.tick()
        if self._gpus[0] != run.id:
            self._look_at_machines(run)
        if self._next is not None and self._drawn_for == run.id:
            self._missed = True
            return
        if self._next is not None:
            self._next.stop()
            self._next = None
        self._missed = False
        self.reader.ask(lambda: self._read(run), self._show)

    def changed(self, topics: frozenset[str]) -> None:
        """Points arrived."""
        if f"metric:{self.shown_id}" in topics:
            self.load()
        if "instance" in topics and self.run_shown is not None:
            self._look_at_machines(self.run_shown)

    def tick(self) -> None:
        """The sheet shows ages and times left."""
        if self.run_shown is not None:
            of, gpus = self._gpus
            run = self.run_shown
            self.side.show(side_facts(run, gpus if of == run.id else [], self.bridge.now()))

    def _look_at_machines(self, run: Run) -> None:
        catalog = self.bridge.catalog

        def work() -> tuple[str, list[Mapping[str, Any]]]:
            return run.id, [g for i in catalog.instances.list() if i.name in run.instances for g in i.gpus]

        self._machines.ask(work, self._show_gpus)

    def _show_gpus(self, found: tuple[str, list[Mapping[str, Any]]]) -> None:
        if found[0] == self.shown_id:
            self._gpus = found
            self.tick()

    def _read(self, run: Run) -> tuple[Run, list[Series], float]:
        begun = time.perf_counter()
        keys = self.bridge.catalog.metrics.keys(run.id)
        chosen = [key for group in list(grouped_keys(keys).values())[:MOST] for key in group]
        found = self.bridge.catalog.metrics.series(run.id, chosen, arrays=True) if chosen else []
        return run, found, time.perf_counter() - begun

    def _show(self, result: tuple[Run, list[Series], float]) -> None:
        run, found, took = result
        if run.id != self.shown_id:
            return
        self._drawn_for = run.id
        self._next = self.set_timer(max(_LEAST_REST_S, took * _REST), self._rested)
        self._found = found
        self._draw_all(run)

    def _draw_all(self, run: Run) -> None:
        """What was read last, over the axis that is chosen."""
        offered = over.axes_of(self._found)
        axis = self._axis if self._axis in offered else offered[0]
        places = over.places(self._found, axis)
        series = {one.key: one for one in self._found}
        groups = {
            name: [Plot(label(key), places[key], series[key].values) for key in keys if key in places]
            for name, keys in grouped_keys(list(series)).items()
        }
        longest = max(self._found, key=lambda one: len(one.steps), default=None)
        clock = Clock.of(places[longest.key], longest.times) if longest is not None else None
        if not self.draw(groups, axis, clock):
            self._say_nothing(run)

    def action_turn_axis(self) -> None:
        """Over steps, over time, or over epochs where the run logs them."""
        offered = over.axes_of(self._found)
        if self.run_shown is not None and self._found:
            at = offered.index(self._axis) if self._axis in offered else 0
            self._axis = offered[(at + 1) % len(offered)]
            self._draw_all(self.run_shown)

    def _rested(self) -> None:
        self._next = None
        if self._missed:
            self.load()

    def _say_nothing(self, run: Run) -> None:
        if run.status.is_finished:
            self.notice.say(
                "No metrics", more="This run ended before it logged one. The log may say why.", begin="] log"
            )
        else:
            self.notice.say("No metrics yet", more="Points appear here as they arrive.")


def grouped_keys(keys: Sequence[str]) -> dict[str, list[str]]:
    """Keys by the last part of their name: train/loss and validation/loss share a chart; loss comes first."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(key.rsplit("/", 1)[-1], []).append(key)
    order = {"train": 0, "validation": 1, "test": 2}
    for members in groups.values():
        members.sort(key=lambda key: (order.get(key.split("/", 1)[0], 3), key))
    names = sorted(groups, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return {name: groups[name] for name in names}


def label(key: str) -> str:
    """What a legend calls a key: `train` of `train/loss`."""
    return key.rsplit("/", 1)[0] if "/" in key else key
