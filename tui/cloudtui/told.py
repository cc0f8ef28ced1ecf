"""What happened to runs, told on the desktop: toast, bell, a notification of the system, a page at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from textual.app import App

from cloudtui import format as fmt
from cloudtui.actions.preferences import BELL, OSC9, TOAST
from cloudtui.bridge import Bridge, Reader
from cloudtui.chosen import Chosen
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.notice import ABOUT, Notice
from cloudtui_engine.sanitize import clean_line

SEEN, LEFT = "desktop.seen", "desktop.left"
"""How far the feed of notices was seen, and when the desktop was closed."""
_MOST = 4
"""Toasts at once; more are counted."""
_SEVERITY: Mapping[str, Literal["error", "warning"]] = {
    "failed": "error",
    "lost": "error",
    "stalled": "warning",
    "nan": "warning",
    "idle": "warning",
    "budget": "warning",
}


def osc9(text: str) -> str:
    """The sequence that asks a terminal for a notification.

    Nothing in the text can end it or begin another, and it begins with no number: some terminals take those
    for commands.
    """
    return f"\x1b]9;cloudtui: {clean_line(text, 200)}\x07"


class Told:
    """Follows the feed of notices for one desktop."""

    def __init__(self, app: App[Any], bridge: Bridge, chosen: Chosen, write: Callable[[str], None]) -> None:
        self._app = app
        self._bridge = bridge
        self._chosen = chosen
        self._write = write
        self._place: int | None = None
        self._since: tuple[Notice, ...] = ()
        self._reader = Reader(app.screen, bridge, lambda _error: None)

    def begin(self) -> None:
        """After the first paint: what happened since the desktop was left, then what happens."""
        seen, catalog = self._chosen.kept.get(SEEN), self._bridge.catalog

        def read() -> tuple[int, list[Notice]]:
            return catalog.notices.since(seen) if isinstance(seen, int) else (catalog.notices.place(), [])

        self._reader.ask(read, self._begun)

    def heed(self, topics: frozenset[str]) -> None:
        """Something was written: it may be a notice."""
        place = self._place
        if place is not None and "notice" in topics:
            self._reader.ask(lambda: self._bridge.catalog.notices.since(place), self._more)

    def show(self) -> None:
        """The page of what happened since the desktop was left."""
        from cloudtui.dialogs.since import SinceScreen, since_facts

        left, now = self._chosen.kept.get(LEFT), self._bridge.now()
        ago = f", {fmt.since(left, now)} ago" if isinstance(left, int | float) and left <= now else ""
        self._app.push_screen(SinceScreen(f"Since you left{ago}", since_facts(self._since, now)))

    def _begun(self, found: tuple[int, list[Notice]]) -> None:
        self._since = tuple(found[1])
        self._move(found[0], always=not isinstance(self._chosen.kept.get(SEEN), int))
        if self._since and len(self._app.screen_stack) == 1:
            self.show()

    def _more(self, found: tuple[int, list[Notice]]) -> None:
        place, notices = found
        if self._place is not None and place > self._place:
            self._say([one for one in notices if one.id > (self._place or 0)])
            self._move(place, always=bool(notices))

    def _move(self, place: int, *, always: bool) -> None:
        self._place = place
        if always or self._since:
            try:
                self._chosen.remember(SEEN, place)
            except CloudtuiError:  # told again at the next start: better than not
                return

    def _say(self, notices: Sequence[Notice]) -> None:
        wanted = [one for one in notices if one.kind in self._chosen.value(ABOUT)]
        for one in wanted[:_MOST] if self._chosen.value(TOAST) else ():
            self._app.notify(
                one.detail or " ", title=one.title, severity=_SEVERITY.get(one.kind, "information"),
                timeout=10, markup=False,
            )  # fmt: skip
        if len(wanted) > _MOST and self._chosen.value(TOAST):
            self._app.notify(f"and {len(wanted) - _MOST} more", timeout=10, markup=False)
        if wanted and self._chosen.value(BELL):
            self._write("\x07")
        if self._chosen.value(OSC9):
            for one in wanted[:_MOST]:
                self._write(osc9(one.sentence))
