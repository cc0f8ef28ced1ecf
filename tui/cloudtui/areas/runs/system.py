"""The system tab: what the machine did while the run was on it."""

from __future__ import annotations

from cloudtui.areas.runs.charted import ChartedTab
from cloudtui.areas.runs.moment import Clock
from cloudtui.areas.runs.side import gpu_facts
from cloudtui.widgets.chart import Plot
from cloudtui.widgets.facts import Fact
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run, Series
from cloudtui_engine.sanitize import clean_line


class SystemTab(ChartedTab):
    """Charts of the supervisor's samples over time, and the newest sample of the machine."""

    def load(self) -> None:
        """Read the samples."""
        run = self.run_shown
        if run is not None:
            self.reader.ask(lambda: self._read(run), self._show)

    def changed(self, topics: frozenset[str]) -> None:
        """Samples arrived."""
        if topics & {f"metric:{self.shown_id}", "instance"}:
            self.load()

    def _read(self, run: Run) -> tuple[Run, list[Series], list[Instance]]:
        catalog = self.bridge.catalog
        machines = [i for i in catalog.instances.list() if i.name in run.instances]
        return run, catalog.metrics.series(run.id, scope="system", arrays=True), machines

    def _show(self, result: tuple[Run, list[Series], list[Instance]]) -> None:
        run, series, machines = result
        if run.id != self.shown_id:
            return
        timed = [one for one in series if len(one.times)]
        start = min((float(one.times[0]) for one in timed), default=0.0)
        groups = {one.key: [Plot(one.key, one.times - start, one.values)] for one in timed}
        longest = max(timed, key=lambda one: len(one.times), default=None)
        clock = Clock.of(longest.times - start, longest.times) if longest is not None else None
        if not self.draw(groups, "time", clock):
            self.notice.say(
                "No samples of the machine", more="They come with a run's supervisor, every few seconds."
            )
        facts: list[Fact] = []
        for machine in machines:
            facts += [Fact(clean_line(machine.name, 40), style="heading"), *gpu_facts(machine.gpus)]
            if not machine.gpus:
                facts.append(Fact("GPU", "none"))
        self.side.show(facts)
