"""What can be done here and now: with what is selected in the area that is shown, by menu, key or palette."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App

from cloudtui import menus
from cloudtui.actions import get
from cloudtui.areas.places import AREAS
from cloudtui.visited import Visited
from cloudtui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from cloudtui.performing import Performer


class Here:
    """Offers the registry's actions for the area that is shown, and has them carried out."""

    def __init__(self, app: App[Any], visited: Visited, performer: Callable[[], Performer]) -> None:
        self._app = app
        self._visited = visited
        self._performer = performer

    @property
    def selection(self) -> tuple[str, list[Any]]:
        """The noun of the area, and what is selected in it."""
        area = self._visited.area
        return (area.NOUN, area.selected()) if area is not None else ("", [])

    def menus(self) -> tuple[menus.Menu, ...]:
        """All menus as they are now."""
        areas = [(name, one.place.key, one.place.title) for name, one in AREAS.items()]
        return menus.menus(*self.selection, areas)

    def show(self) -> None:
        """Say in the status bar which keys there are."""
        if not self._app.screen_stack:  # the last messages of an app that ends
            return
        alone = self._app.screen.maximized is not None
        back = [(menus.shown_key(get("home.maximise")), "all panels", "home.maximise")] if alone else []
        focused = self._app.focused
        seen = focused is not None and focused.display  # a list gives way to a notice, and keeps the focus
        hints = [(key, label, "") for key, label in getattr(focused, "HINTS", ())] if seen else []
        self._app.query_one(StatusBar).keys([*back, *hints, *menus.bar(*self.selection)])

    def open(self, name: str, key: str | None = None) -> None:
        """Show an area, and there the object with this id."""
        self._visited.open(name, key)
        self.show()

    def go(self, value: str) -> None:
        """What the palette found: `action:run.stop`, `runs:`, `runs:<id>` or `view:<filter of runs>`."""
        kind, _, rest = value.partition(":")
        if kind == "action":
            self.perform(rest)
        elif kind == "view":
            self.open("runs")
            if self._visited.area is not None:
                self._visited.area.set_filter(rest)
        else:
            self.open(kind, rest or None)

    def perform(self, name: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Carry out an action of the registry, or one of the screen's own."""
        group, _, rest = name.partition(".")
        if group == "area":
            self.open(rest)
        elif name in menus.OWN:
            self._app.call_later(self._app.run_action, menus.OWN[name])
        else:
            area = self._visited.area
            if area is None:
                self._performer().perform(get(name), "", [], arguments or {})
                return
            given = {**area.given(name), **(arguments or {})}
            self._performer().perform(get(name), area.NOUN, area.meant(name), given)

    def key(self, event: events.Key) -> None:
        """Carry out what a key of the registry means here, where nothing that has the focus wanted it."""
        area = self._visited.area
        if area is None or len(self._app.screen_stack) > 1:
            return
        bound = self._app.screen.active_bindings.get(event.key)
        if bound is not None and bound.node is not self._app:  # a chart zooms with +, a log goes on with n
            return
        action = menus.by_key(area.NOUN, event.key, event.character)
        if action is not None:
            event.stop()
            event.prevent_default()
            self.perform(action.id)

    def copy_command(self) -> None:
        """Copy the command that shows what is selected, where something is."""
        noun, selected = self.selection
        if selected:
            action = get("settings.get" if noun == "settings" else f"{noun}.show")
            text = self._performer().command_of(action, selected)
            self._app.copy_to_clipboard(text)
            self._app.notify(text, title="Copied", timeout=4, markup=False)

    def turn_trash(self) -> None:
        """The trash of runs, or the rest again."""
        from cloudtui.areas.runs.area import RunsArea

        self.open("runs")
        if isinstance(self._visited.area, RunsArea):
            self._visited.area.turn_trash()
