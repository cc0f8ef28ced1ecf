"""What a typed line does: it finds what is named, and has it done just as keys and menus have it done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.app import App

from cloudtui.areas.places import AREAS
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui.commanding.offering import Known
from cloudtui.commanding.reading import Do, Go, Meant, Own, read
from cloudtui.commanding.telling import tells_nothing
from cloudtui.commanding.words import LineError, Word
from cloudtui_engine.errors import CloudtuiError, FilterError, NotFoundError, UsageError

if TYPE_CHECKING:
    from cloudtui.bridge import Bridge
    from cloudtui.here import Here
    from cloudtui.performing import Performer
    from cloudtui.visited import Visited
    from cloudtui_engine.catalog import Catalog

HISTORY = "desktop.commands"
"""The setting that holds the lines of late, the newest first."""
KEPT = 50
_NEWEST = 300
"""So many runs are offered by name."""
PLACES = {name: one.place.title for name, one in AREAS.items()}


class Typed:
    """Reads and carries out lines for one desktop."""

    def __init__(
        self, app: App[Any], bridge: Bridge, here: Here, visited: Visited, performer: Callable[[], Performer]
    ) -> None:
        self._app = app
        self._bridge = bridge
        self._here = here
        self._visited = visited
        self._performer = performer

    def check(self, line: str) -> Meant:
        """What a line means; raises `LineError`."""
        return read(line, PLACES)

    async def find(self, line: str) -> Callable[[], None]:
        """What the line is to do, once all that it names is found.

        Raises:
            LineError: something cannot be found; says which word.
        """
        meant = self.check(line)
        records = await self._bridge.in_thread(self._found, meant)
        if not isinstance(meant, Do) or tells_nothing(meant.action, meant.arguments, line):
            await self._bridge.in_thread(remember, self._bridge.catalog, line)
        return lambda: self._do(meant, records)

    def _found(self, meant: Meant) -> list[Any]:
        """Runs in a thread."""
        if isinstance(meant, Go) and meant.name:
            return [self._one(meant.noun, meant.word)]
        if isinstance(meant, Go) and meant.area == "runs" and (meant.filter or meant.view):
            return [_narrowed(self._bridge.catalog, meant)]
        return [self._one(meant.action.noun, word) for word in meant.targets] if isinstance(meant, Do) else []

    def _one(self, noun: str, word: Word) -> Any:
        try:
            return _find(self._bridge.catalog, noun, word.text)
        except CloudtuiError as error:
            raise LineError(error.message, word.at, word.end, error.hint) from None

    def _do(self, meant: Meant, records: list[Any]) -> None:
        if isinstance(meant, Own):
            self._here.perform(meant.action)
        elif isinstance(meant, Do):
            self._performer().perform(meant.action, meant.action.noun, records, meant.arguments)
        elif meant.name:
            self._go(meant, records[0].id)
        else:
            self._go(replace(meant, filter=records[0] if records else ""), None)

    def _go(self, meant: Go, key: str | None) -> None:
        self._here.open(meant.area, key)
        area = self._visited.area
        if area is None:
            return
        if meant.trash != area.request.trash and meant.area == "runs":
            self._here.turn_trash()
        if key is not None and area.record(key) is None and area.listing is not None:
            area.set_filter(f"id:{key}" if meant.area == "runs" else "")  # it is not among those listed
        elif key is None and (meant.filter or meant.sort):
            area.set_filter(meant.filter, meant.sort)
        if meant.tab and isinstance(area.detail, TabbedDetail):
            area.detail.open_tab(meant.tab)


def _find(catalog: Catalog, noun: str, name: str) -> Any:
    """What a command of the terminal would find by this name."""
    if noun == "settings":
        from cloudtui.actions.preferences import preference
        from cloudtui.actions.settled import settings

        preference(name)
        return next(one for one in settings(catalog.settings.all()) if one.id == name)
    finders: dict[str, Callable[[str], Any]] = {
        "run": catalog.runs.find, "model": catalog.models.find, "dataset": catalog.datasets.find,
        "instance": catalog.instances.find,
    }  # fmt: skip
    return finders[noun](name)


def _narrowed(catalog: Catalog, meant: Go) -> str:
    """The filter of what is to be listed."""
    from cloudtui_engine.catalog.views import narrowed

    try:
        return narrowed(catalog, meant.filter, meant.view, meant.sort)
    except (NotFoundError, UsageError) as error:
        why = error.why if isinstance(error, FilterError) else error.message
        raise LineError(why, meant.word.at, meant.word.end) from None


def known(catalog: Catalog) -> Known:
    """What the line can offer: milliseconds to tens of them, so ask in a thread."""
    from cloudtui.actions.preferences import every
    from cloudtui_engine.catalog.runs import RunQuery
    from cloudtui_engine.catalog.views import views

    names = {
        "run": [one.name for one in catalog.runs.list(RunQuery(limit=_NEWEST, metrics=False))],
        "model": [one.label for one in catalog.models.list()],
        "dataset": [f"{one.name}@{one.version}" for one in catalog.datasets.list()],
        "instance": [one.name for one in catalog.instances.list()],
        "settings": [one.key for one in every()],
        "views": [one.name for one in views(catalog)],
    }
    shown = {noun: [one for one in found if one.isprintable()] for noun, found in names.items()}
    return Known(PLACES, shown, history(catalog))


def history(catalog: Catalog) -> list[str]:
    """The lines of late, the newest first."""
    found = catalog.settings.get(HISTORY, [])
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def remember(catalog: Catalog, line: str) -> None:
    """Put a line on top of the history, where it may be kept."""
    if catalog.sealed is None or "setting" in catalog.open_topics:
        older = [one for one in history(catalog) if one != line]
        catalog.settings.set(HISTORY, [line, *older][:KEPT])
