"""Keeps how the desktop is laid out over a restart: seldom, and only what has come to rest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual.app import App

from cloudtui import layout
from cloudtui.bridge import Bridge
from cloudtui.chosen import Chosen
from cloudtui.layout import Layout
from cloudtui.visited import Visited
from cloudtui_engine.errors import CloudtuiError


class Keeping:
    """Looks at the areas of one desktop, and writes where they were left."""

    def __init__(self, app: App[Any], bridge: Bridge, chosen: Chosen, visited: Visited) -> None:
        self._app = app
        self._bridge = bridge
        self._chosen = chosen
        self._visited = visited
        self._kept = self._seen = chosen.layout

    def look(self) -> None:
        """Write what is laid out otherwise than it was kept, and the same as at the last look."""
        now = self._visited.layout
        rested, self._seen = now == self._seen, now
        if rested and self._is_news(now):
            self._kept = now
            work = self._bridge.in_thread(self._write, now)
            self._app.run_worker(work, group="keep", exit_on_error=False)

    def keep(self) -> None:
        """The desktop closes: write it now."""
        now = self._visited.layout
        if self._is_news(now):
            self._write(now)

    def _is_news(self, now: Layout) -> bool:
        return now != self._kept and not self._chosen.read_only

    def _write(self, now: Layout) -> None:
        with suppress(CloudtuiError):  # the next start is as the last one was: better than a word about it
            self._bridge.catalog.settings.set(layout.KEY, layout.written(now))
