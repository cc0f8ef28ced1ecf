"""What stands around the areas: counts in the rail, the state of things in the status bar, open questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from cloudtui.actions import get
from cloudtui.bridge import Bridge, Overview, Reader
from cloudtui.chosen import Chosen
from cloudtui.menus import shown_key
from cloudtui.widgets.rail import Rail
from cloudtui.widgets.status_bar import StatusBar
from cloudtui_engine.errors import CloudtuiError


class Surroundings:
    """Reads the overview of one desktop and shows it; what needs the person is put to them."""

    def __init__(
        self, app: App[Any], bridge: Bridge, chosen: Chosen, failed: Callable[[CloudtuiError], None]
    ) -> None:
        self._app = app
        self._bridge = bridge
        self._chosen = chosen
        self._failed = failed
        self._gave_up = False
        self.overview = Overview({})
        """What was read last."""
        self._asked: set[str] = set()
        self._reader = Reader(app.query_one(Rail), bridge, failed)

    def look(self) -> None:
        """Read what rail and status bar show."""
        self._reader.ask(self._bridge.overview, self._show)

    async def tend(self) -> None:
        """Have an engine where one is needed, and tell of one that died: nothing is written then."""
        if self._chosen.read_only or self._gave_up:
            return
        try:
            started = await self._bridge.in_thread(self._bridge.tend)
        except CloudtuiError as error:
            self._gave_up = True  # said once; what is asked for next says it again
            self._failed(error)
            return
        if started:
            self._app.notify("An engine was started: there is work for it.", timeout=4, markup=False)
            self.look()

    def look_first(self) -> None:
        """Read it, unless it has been read: once a list is there, for this comes after it."""
        if not self.overview.counts:
            self._app.call_after_refresh(self.look)

    def _show(self, overview: Overview) -> None:
        self.overview = overview
        if not self._app.screen_stack:  # the last answer to an app that ends
            return
        self._app.query_one(Rail).show(overview.counts)
        self._app.query_one(StatusBar).state(overview.parts(shown_key(get("home.questions"))))
        if overview.needs_you and not self._chosen.read_only:
            self._ask_questions()

    def _ask_questions(self) -> None:
        from cloudtui.dialogs.questions import ask_all

        work = ask_all(self._app, self._bridge, self._asked)
        self._app.run_worker(work, group="questions", exclusive=False, exit_on_error=False)
