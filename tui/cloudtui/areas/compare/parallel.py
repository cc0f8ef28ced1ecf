"""The parallel tab: every setting that differs as an axis, every run as a line through them."""

from __future__ import annotations

from textual.app import ComposeResult

from cloudtui.areas.compare.compared import Compared, Member
from cloudtui.areas.compare.look import FocusRun
from cloudtui.areas.compare.parallel_axes import axes_of
from cloudtui.areas.compare.tab import CompareTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.parallel_plot import ParallelPlot
from cloudtui_engine.sanitize import clean_line


class ParallelTab(CompareTab):
    """The plot above a line that says which run is told, and how many are kept."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.plot = ParallelPlot()
        self.foot = Foot()
        self._told: str | None = None
        """The run that the list was told of last."""

    def compose(self) -> ComposeResult:
        """The plot, or the notice; the line below either."""
        yield from super().compose()
        yield self.foot

    def load(self) -> None:
        """From settings and summaries; the run of the list is the one that is told."""
        compared, record = self.compared, self.record
        if compared is None or not isinstance(record, Member):
            return
        axes = axes_of(compared) if len(compared.found.runs) > 1 else []
        if not self.show_body(len(axes) > 1):
            if not self.say_alone(compared):
                self.notice.say(
                    "Nothing to lay side by side",
                    more="It takes a setting that differs and a metric, or two settings.",
                )
            self.foot.show("", "")
            return
        self._told = record.id
        self.plot.show(axes, record.place)
        self._say(compared)

    def on_parallel_plot_changed(self, event: ParallelPlot.Changed) -> None:
        """Another run is told: the list goes along."""
        event.stop()
        compared, focus = self.compared, self.plot.spec.focus
        if compared is None:
            return
        self._say(compared)
        if focus is not None and focus < len(compared.found.runs):
            told = compared.found.runs[focus].id
            if told != self._told:
                self._told = told
                self.post_message(FocusRun(told))

    def _say(self, compared: Compared) -> None:
        spec, runs = self.plot.spec, compared.found.runs
        kept = spec.kept()
        name = "" if spec.focus is None else clean_line(runs[spec.focus].name, 60)
        gone = "" if spec.focus is None or spec.focus in kept else ", outside the range"
        said = f"{len(kept)} of {len(runs)} runs" if spec.brushes else f"{len(runs)} runs"
        self.foot.show(f"● {name}{gone}", said)
