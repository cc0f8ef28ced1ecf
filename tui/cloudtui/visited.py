"""The areas that were visited, one of which is shown."""

from __future__ import annotations

from typing import Any

from textual.app import App

from cloudtui.areas.area import Area
from cloudtui.areas.places import AREAS
from cloudtui.bridge import Bridge
from cloudtui.widgets.rail import Rail


class Visited:
    """Areas by name: each is made on its first visit and then stays as it was left."""

    def __init__(self, app: App[Any], bridge: Bridge) -> None:
        self._app = app
        self._bridge = bridge
        self._areas: dict[str, Area] = {}
        self.current = self.previous = ""
        """The names of the area that is shown, and of the one before it."""

    @property
    def area(self) -> Area | None:
        """The area that is shown."""
        return self._areas.get(self.current)

    def make(self, name: str) -> Area:
        """An area that was not visited yet; whoever asks mounts it."""
        area = self._areas[name] = AREAS[name].load()(self._bridge)
        return area

    def open(self, name: str, key: str | None = None) -> None:
        """Show an area instead of the others, and there the object with this id."""
        area = self._areas.get(name)
        if area is None:
            area = self.make(name)
            self._app.query_one("#areas").mount(area)
        elif self.current not in {name, ""}:
            area.reload()
        if name != self.current:
            self.previous, self.current = self.current, name
        for other, widget in self._areas.items():
            widget.display = other == name
        self._app.query_one(Rail).go(name)
        if key is not None:
            area.select(key)
        self._app.call_after_refresh(area.focus_list)
