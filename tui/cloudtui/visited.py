"""The areas that were visited, one of which is shown."""

from __future__ import annotations

from typing import Any, cast

from textual.app import App

from cloudtui.areas.area import Area
from cloudtui.areas.parts import Request
from cloudtui.areas.places import AREAS
from cloudtui.bridge import Bridge
from cloudtui.layout import Layout, Left
from cloudtui.widgets.rail import Rail
from cloudtui.widgets.split import Way
from cloudtui_engine.catalog.query_tokens import unquote
from cloudtui_engine.catalog.run_order import Order, order_of
from cloudtui_engine.errors import UsageError

FIRST = "runs"
"""The area that is shown first where none was left."""


class Visited:
    """Areas by name: each is made on its first visit, as `left` has it, and then stays as it is left."""

    def __init__(self, app: App[Any], bridge: Bridge, left: Layout) -> None:
        self._app = app
        self._bridge = bridge
        self._left = left
        self._areas: dict[str, Area] = {}
        self.first = FIRST
        """The area that is shown first."""
        self.wanted: str | None = None
        """The id of the object that is looked for there."""
        self.current = self.previous = ""
        """The names of the area that is shown, and of the one before it."""

    @property
    def area(self) -> Area | None:
        """The area that is shown."""
        return self._areas.get(self.current)

    @property
    def layout(self) -> Layout:
        """How all areas are now, and where nobody went, how they were left."""
        now = {name: _left(area) for name, area in self._areas.items()}
        areas = {name: left for name, left in {**self._left.areas, **now}.items() if any(left)}
        return Layout(self.current if self.current != FIRST else "", areas)

    def begin(self, name: str = "", key: str | None = None) -> None:
        """Begin to read what is shown first: this area, else the one that was left.

        Where an object is looked for there, no filter of then hides it.
        """
        left = FIRST if key is not None or self._left.area not in AREAS else self._left.area
        self.first, self.wanted = name or left, key
        if key is not None:
            self._left = self._left.without(self.first)
        kind, request = AREAS[self.first].load(), self._request(self.first)
        self._bridge.begin(self.first, lambda: kind.fetch(self._bridge, request))

    def _request(self, name: str) -> Request:
        return _request(AREAS[name].load(), self._left.of(name))

    def make(self, name: str) -> Area:
        """An area that was not visited yet; whoever asks mounts it."""
        area, left = AREAS[name].load()(self._bridge), self._left.of(name)
        self._areas[name] = area
        area.request = self._request(name)
        area.pane.filter = area.request.filter
        area.detail.begin(left.tab)
        area.shares = cast("dict[Way, float]", left.shares)  # other ways are left out there
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
        self._app.call_after_refresh(area.focus_seen)


def _left(area: Area) -> Left:
    """How an area is now."""
    request, sort = area.request, area.request.sort if area.request.sort != area.SORT else ""
    return Left(
        area.detail.tab, sort, request.filter, {str(way): share for way, share in area.shares.items()}
    )


def _can_sort(kind: type[Area], sort: str) -> bool:
    """There is a column of this order, or there can be one."""
    if sort.startswith(("param.", "metric.")):
        return isinstance(order_of(sort, unquote), Order)
    return bool(sort) and sort in {column.sort for column in kind.COLUMNS}


def _request(kind: type[Area], left: Left) -> Request:
    """What an area was left with, as far as it still can be."""
    request = Request(left.filter, left.sort if _can_sort(kind, left.sort.removeprefix("-")) else kind.SORT)
    try:
        kind.ordered(request)
    except UsageError:  # the language is another one now
        return request._replace(filter="")
    return request
