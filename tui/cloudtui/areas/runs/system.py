"""The system tab: what the machine did while the run was on it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from cloudtui.areas.runs.chart_grid import ChartGrid
from cloudtui.areas.runs.side import gpu_facts
from cloudtui.areas.runs.tab import RunTab
from cloudtui.widgets.chart import Plot
from cloudtui.widgets.facts import Fact, Facts
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run, Series
from cloudtui_engine.sanitize import clean_line


class SystemTab(RunTab):
    """Charts of the supervisor's samples, over minutes, and the newest sample of the machine."""

    def compose(self) -> ComposeResult:
        """Charts at the left."""
        self.grid = ChartGrid()
        self.side = Facts(classes="side")
        self.side.can_focus = False
        self.notice.display = False
        yield self.notice
        with Horizontal():
            yield self.grid
            yield self.side

    def load(self) -> None:
        """Read the samples."""
        run = self.run_shown
        if run is not None:
            self.reader.ask(lambda: self._read(run), self._show)

    def changed(self, topics: frozenset[str]) -> None:
        """Samples arrived."""
        if topics & {f"metric:{self.shown_id}", "instance"}:
            self.load()

    def on_focus(self) -> None:
        """The charts may have come since the keys were sent here."""
        chart = self.grid.first()
        if chart is not None:
            self.call_after_refresh(chart.focus)

    def focus_inside(self) -> None:
        """The first chart takes the keys."""
        (self.grid.first() or self).focus()

    def _read(self, run: Run) -> tuple[Run, list[Series], list[Instance]]:
        catalog = self.bridge.catalog
        machines = [i for i in catalog.instances.list() if i.name in run.instances]
        return run, catalog.metrics.series(run.id, scope="system", arrays=True), machines

    def _show(self, result: tuple[Run, list[Series], list[Instance]]) -> None:
        run, series, machines = result
        if run.id != self.shown_id:
            return
        groups: dict[str, list[Plot]] = {}
        for one in series:
            if len(one.times):
                minutes = (one.times - one.times[0]) / 60
                groups.setdefault(f"{one.key}  over minutes", []).append(Plot(one.key, minutes, one.values))
        self.notice.display = not groups
        self.grid.display = bool(groups)
        if groups:
            self.grid.show(groups)
            if self.has_focus:  # there was no chart yet when the keys came here
                self.call_after_refresh(self.focus_inside)
        else:
            self.notice.say(
                "No samples of the machine", more="They come with a run's supervisor, every few seconds."
            )
        facts: list[Fact] = []
        for machine in machines:
            facts += [Fact(clean_line(machine.name, 40), style="heading"), *gpu_facts(machine.gpus)]
            if not machine.gpus:
                facts.append(Fact("GPU", "none"))
        self.side.show(facts)
