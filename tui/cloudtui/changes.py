"""What the desktop does about changes of the catalog, and about a catalog that cannot be read for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from cloudtui.bridge import Bridge
from cloudtui_engine.errors import CatalogError

if TYPE_CHECKING:
    from cloudtui.areas.area import Area
    from cloudtui.performing import Performer
    from cloudtui.surroundings import Surroundings

_AROUND = frozenset({"run", "instance", "dataset", "model", "operation", "engine", "cost", "setting"})
"""Topics that rail and status bar tell of."""


class Desk(Protocol):
    """What changes are handed on to."""

    bridge: Bridge
    surroundings: Surroundings

    @property
    def performer(self) -> Performer:
        """Knows the operations that were started here."""

    @property
    def area(self) -> Area | None:
        """The area that is shown."""

    def heed(self, topics: frozenset[str]) -> None:
        """Settings and notices are looked at."""

    def notify(self, message: str, *, timeout: float, markup: bool) -> Any:
        """Say this for a while."""


class Changes:
    """Looks whether something changed, and hands it on."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._lost = False

    def poll(self) -> None:
        """Hand on what was written since the last time; a catalog that fails is told of and asked again."""
        app = self._app
        try:
            topics = app.bridge.changed()
            app.heed(topics)
            if topics & {"operation", "run"} or self._lost:
                app.performer.operations_changed()
        except CatalogError as error:
            self._say_lost(error)
            return
        if self._lost:
            self._say_back()
        if topics and app.area is not None:
            app.area.changed(topics)
        if topics & _AROUND:
            app.surroundings.look()

    def _say_lost(self, error: CatalogError) -> None:
        """Once for each time that the catalog goes; the area says it for as long as it lasts."""
        if self._lost:
            return
        self._lost = True
        self._app.performer.say_error(error)
        if self._app.area is not None:
            self._app.area.fail(error)

    def _say_back(self) -> None:
        self._lost = False
        self._app.notify("The catalog can be read again.", timeout=4, markup=False)
        if self._app.area is not None:
            self._app.area.reload()
        self._app.surroundings.look()
