"""One run: a strip of tabs, each mounted when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from cloudtui import format as fmt
from cloudtui.areas.area import Detail
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line


def _charts(bridge: Bridge) -> RunTab:
    from cloudtui.areas.runs.charts import ChartsTab

    return ChartsTab(bridge)


def _log(bridge: Bridge) -> RunTab:
    from cloudtui.areas.runs.log import LogTab

    return LogTab(bridge)


def _config(bridge: Bridge) -> RunTab:
    from cloudtui.areas.runs.config import ConfigTab

    return ConfigTab(bridge)


def _system(bridge: Bridge) -> RunTab:
    from cloudtui.areas.runs.system import SystemTab

    return SystemTab(bridge)


def _artifacts(bridge: Bridge) -> RunTab:
    from cloudtui.areas.runs.artifacts import ArtifactsTab

    return ArtifactsTab(bridge)


TABS: dict[str, Callable[[Bridge], RunTab]] = {
    "Charts": _charts, "Log": _log, "Config": _config, "System": _system, "Artifacts": _artifacts,
}  # fmt: skip


class RunDetail(Detail):
    """The tabs of one run."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="detail")
        self.bridge = bridge
        self.strip = TabStrip(list(TABS))
        self.body = Container(classes="detail-body")
        self.run_shown: Run | None = None
        self._tabs: dict[str, RunTab] = {}

    def compose(self) -> ComposeResult:
        """The strip; tabs come when there is a run to show."""
        yield self.strip
        yield self.body

    @property
    def current(self) -> RunTab | None:
        """The tab that is shown."""
        return self._tabs.get(self.strip.current)

    def show(self, record: Run | None) -> None:
        """Show this run in the tab that is open."""
        before, self.run_shown = self.run_shown, record
        self.body.display = record is not None
        self._draw_strip()
        if record is None:
            return
        tab = self._tab(self.strip.current)
        if before is None or before.id != record.id or tab.shown_id != record.id or before != record:
            tab.show(record)

    def changed(self, topics: frozenset[str]) -> None:
        """Points, lines or facts of this run arrived."""
        tab = self.current
        if tab is not None and self.run_shown is not None and self.is_on_screen:
            tab.changed(topics)

    def tick(self) -> None:
        """Ages."""
        self._draw_strip()
        if self.current is not None and self.run_shown is not None:
            self.current.tick()

    def focus_inside(self) -> None:
        """The open tab takes the keys."""
        if self.current is not None:
            self.current.focus_inside()

    def open_tab(self, name: str) -> None:
        """Show another tab."""
        inside = self.has_focus_within
        self.strip.go(name)
        if self.run_shown is None:
            return
        tab = self._tab(name)
        tab.show(self.run_shown)
        if inside:
            self.call_after_refresh(tab.focus_inside)

    def turn(self, step: int) -> None:
        """The tab before or after this one."""
        names = list(TABS)
        self.open_tab(names[(names.index(self.strip.current) + step) % len(names)])

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A tab was clicked."""
        event.stop()
        self.open_tab(event.tab)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The strip shows where keys go."""
        self.strip.focused(value=True)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """They go elsewhere."""
        self.strip.focused(value=False)

    def _tab(self, name: str) -> RunTab:
        tab = self._tabs.get(name)
        if tab is None:
            tab = self._tabs[name] = TABS[name](self.bridge)
            self.body.mount(tab)
        for other, widget in self._tabs.items():
            widget.display = other == name
        return tab

    def _draw_strip(self) -> None:
        run = self.run_shown
        if run is None:
            self.strip.show("")
            return
        now = self.bridge.now()
        right, style = "", "muted"
        step = run.progress.get("step")
        if run.stale_since is not None and not run.status.is_finished:
            right, style = f"no link for {fmt.since(run.stale_since, now)}", "warn"
        elif isinstance(step, int | float):
            right = f"step {fmt.count(step)}"
        if run.attempt > 1:
            right = f"attempt {run.attempt}  {right}".strip()
        self.strip.show(clean_line(run.name, 60), right, style)
