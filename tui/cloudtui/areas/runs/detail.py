"""One run: a strip of tabs, each mounted when it is first looked at."""

from __future__ import annotations

import importlib

from textual.app import ComposeResult
from textual.containers import Container

from cloudtui import format as fmt
from cloudtui.areas.parts import Detail
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge, Reader
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line

TABS = {
    "Charts": "cloudtui.areas.runs.charts:ChartsTab",
    "Log": "cloudtui.areas.runs.log:LogTab",
    "Config": "cloudtui.areas.runs.config:ConfigTab",
    "System": "cloudtui.areas.runs.system:SystemTab",
    "Artifacts": "cloudtui.areas.runs.artifacts:ArtifactsTab",
}


def load_tab(name: str) -> type[RunTab]:
    """The class of a tab. Those with charts bring numpy: import them in a thread."""
    module, _, kind = TABS[name].partition(":")
    found = getattr(importlib.import_module(module), kind)
    if not (isinstance(found, type) and issubclass(found, RunTab)):
        raise TypeError(f"{TABS[name]} is no tab.")
    return found


class RunDetail(Detail):
    """The tabs of one run."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="detail")
        self.bridge = bridge
        self.strip = TabStrip(list(TABS))
        self.body = Container(classes="detail-body")
        self.run_shown: Run | None = None
        self._tabs: dict[str, RunTab] = {}
        self._loader = Reader(self, bridge, self._failed)
        self._enter = False

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
        if tab is not None and (before != record or tab.shown_id != record.id):
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
        else:
            self._enter = True

    def open_tab(self, name: str) -> None:
        """Show another tab."""
        self._enter = self.has_focus_within
        self.strip.go(name)
        if self.run_shown is None:
            return
        tab = self._tab(name)
        if tab is not None:
            self._reveal(tab)

    def turn(self, step: int) -> None:
        """The tab before or after this one."""
        names = list(TABS)
        self.open_tab(names[(names.index(self.strip.current) + step) % len(names)])

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A tab was clicked."""
        event.stop()
        self.open_tab(event.tab)

    def on_descendant_focus(self) -> None:
        """The strip shows where keys go."""
        self.strip.focused(value=True)

    def on_descendant_blur(self) -> None:
        """They go elsewhere."""
        self.strip.focused(value=False)

    def _tab(self, name: str) -> RunTab | None:
        """The tab, shown instead of the others; None while it is being loaded."""
        for other, widget in self._tabs.items():
            widget.display = other == name
        tab = self._tabs.get(name)
        if tab is None:
            self._loader.ask(lambda: (name, load_tab(name)), self._loaded)
        return tab

    def _loaded(self, result: tuple[str, type[RunTab]]) -> None:
        name, kind = result
        if name not in self._tabs:
            self._tabs[name] = kind(self.bridge)
            self.body.mount(self._tabs[name])
        if name == self.strip.current and self.run_shown is not None:
            self._reveal(self._tabs[name])
        else:
            self._tabs[name].display = False

    def _reveal(self, tab: RunTab) -> None:
        if self.run_shown is not None:
            tab.show(self.run_shown)
        if self._enter:
            self._enter = False
            self.call_after_refresh(tab.focus_inside)

    def _failed(self, error: CloudtuiError) -> None:
        self.strip.show(clean_line(error.message), "failed", "bad")

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
