"""A detail with a strip of tabs, each imported and mounted when it is first looked at."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from cloudtui.areas.headed import Headed
from cloudtui.areas.parts import Detail
from cloudtui.areas.tab import Tab
from cloudtui.bridge import Bridge, Reader
from cloudtui.messages import ContextChanged
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line


def load_tab(path: str) -> type[Tab]:
    """The class of a tab. Those with charts bring numpy: import them in a thread."""
    module, _, name = path.partition(":")
    kind = getattr(importlib.import_module(module), name)
    if not (isinstance(kind, type) and issubclass(kind, Tab)):
        raise TypeError(f"{path} is no tab.")
    return kind


class TabbedDetail(Headed, Detail):
    """The tabs of one record."""

    TABS: ClassVar[Mapping[str, str]]
    """Where the class of each tab is, by the tab's title."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="detail")
        self.bridge = bridge
        self.strip = TabStrip(list(self.TABS))
        self.body = Container(classes="detail-body")
        self.record: Any = None
        self._tabs: dict[str, Tab] = {}
        self._loader = Reader(self, bridge, self._failed)
        self._enter = False
        self._chosen = ""
        """The tab that was asked for last: one without it does not make it forgotten."""

    def tabs_of(self, record: Any) -> Sequence[str]:  # noqa: ARG002 - for those that need it
        """The tabs that this record has."""
        return list(self.TABS)

    def heading(self, record: Any, now: float) -> tuple[str, str, str]:  # noqa: ARG002 - as above
        """Whose tabs these are; what is said at the right, and its style."""
        return clean_line(record.name, 60), "", "muted"

    def compose(self) -> ComposeResult:
        """The strip; tabs come when there is something to show."""
        self.strip.display = False
        yield self.strip
        yield self.body

    @property
    def lamp(self) -> TabStrip:
        """The strip shows where keys go."""
        return self.strip

    @property
    def current(self) -> Tab | None:
        """The tab that is shown."""
        return self._tabs.get(self.strip.current)

    @property
    def tab(self) -> str:
        """The tab that was chosen; empty where nobody chose."""
        return self._chosen

    def begin(self, tab: str) -> None:
        """Begin with this tab, where there is such a one."""
        if tab in self.TABS:
            self._chosen = self.strip.current = tab

    def show(self, record: Any) -> None:
        """Show this record in the tab that is open, or in the first that it has."""
        before, self.record = self.record, record
        self.body.display = self.strip.display = record is not None
        if record is not None:
            self.strip.offer(self.tabs_of(record), self._chosen)
        self._draw_strip()
        if record is None:
            return
        tab = self._tab(self.strip.current)
        if tab is not None and (before != record or tab.shown_id != record.id):
            tab.show(record)

    def changed(self, topics: frozenset[str]) -> None:
        """Something of this record may have been written."""
        tab = self.current
        if tab is not None and self.record is not None and self.is_on_screen:
            tab.changed(topics)

    def tick(self) -> None:
        """Ages."""
        self._draw_strip()
        if self.current is not None and self.record is not None:
            self.current.tick()

    def focus_inside(self) -> None:
        """The open tab takes the keys."""
        if self.current is not None:
            self.current.focus_inside()
        else:
            self._enter = True

    def open_tab(self, name: str) -> None:
        """Show another tab."""
        self._enter = self._enter or self.has_focus_within
        self._chosen = name
        self.strip.go(name)
        if self.record is None:
            return
        tab = self._tab(name)
        if tab is not None:
            self._reveal(tab)

    def turn(self, step: int) -> None:
        """The tab before or after this one."""
        if self.record is None:
            return
        names = list(self.strip.tabs)
        self.open_tab(names[(names.index(self.strip.current) + step) % len(names)])

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A tab was clicked."""
        event.stop()
        self.open_tab(event.tab)

    def _tab(self, name: str) -> Tab | None:
        """The tab, shown instead of the others; None while it is being loaded."""
        for other, widget in self._tabs.items():
            widget.display = other == name
        tab = self._tabs.get(name)
        if tab is None:
            self._loader.ask(lambda: (name, load_tab(self.TABS[name])), self._loaded)
        return tab

    def _loaded(self, result: tuple[str, type[Tab]]) -> None:
        name, kind = result
        if name not in self._tabs:
            self._tabs[name] = kind(self.bridge)
            self.body.mount(self._tabs[name])
        if name == self.strip.current and self.record is not None:
            self._reveal(self._tabs[name])
        else:
            self._tabs[name].display = False

    def _reveal(self, tab: Tab) -> None:
        if self.record is not None:
            tab.show(self.record)
        if self._enter:
            self._enter = False
            self.call_after_refresh(tab.focus_inside)
        self.post_message(ContextChanged())

    def _failed(self, error: CloudtuiError) -> None:
        self.strip.show(clean_line(error.message), "failed", "bad")

    def _draw_strip(self) -> None:
        record = self.record
        if record is None:
            self.strip.show("")
        else:
            self.strip.show(*self.heading(record, self.bridge.now()))
