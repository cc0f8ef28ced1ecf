"""What opens over the desktop: menus, the palette, help. Each is imported when it is first opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App

from cloudtui.actions.preferences import CONFIRM_QUIT
from cloudtui.bridge import Bridge
from cloudtui.chosen import Chosen
from cloudtui.menus import Menu
from cloudtui.widgets.menu_bar import MenuBar
from cloudtui.widgets.rail import Place
from cloudtui_engine.errors import CloudtuiError

if TYPE_CHECKING:
    from rich.traceback import Traceback


def open_menu(app: App[Any], index: int, menus: Sequence[Menu], perform: Callable[[str], None]) -> None:
    """Open the menu at this place of the bar."""
    from cloudtui.dialogs.menu import MenuScreen

    bar = app.query_one(MenuBar)

    def chosen(name: str | None) -> None:
        bar.opened(None)
        if name is not None:
            perform(name)

    bar.opened(index)
    app.push_screen(MenuScreen(menus, [bar.left_of(i) for i in range(len(menus))], index), chosen)


def open_palette(app: App[Any], bridge: Bridge, menus: Sequence[Menu], go: Callable[[str], None]) -> None:
    """Search or run; `go` gets `action:run.stop`, `runs:` or `runs:<id>`."""
    from cloudtui.dialogs.searching import palette

    def chosen(value: str | None) -> None:
        if value is not None:
            go(value)

    app.push_screen(palette(bridge, menus), chosen)


def type_ahead(app: App[Any], event: events.Key) -> None:
    """Keys that were on their way when a line opened belong to it."""
    take = getattr(app.screen, "type_ahead", None)
    if take is not None:
        take(event)


def keep_in_sight(app: App[Any], then: Callable[[], None]) -> None:
    """One panel is shown alone only as long as keys go to it, once it is settled where they go."""

    def check() -> None:
        alone, focused = app.screen.maximized, app.focused
        if alone is not None and focused is not None and alone not in focused.ancestors_with_self:
            app.screen.minimize()
            then()

    if app.screen.maximized is not None:  # a line that closes gives the focus to anything for a moment
        app.call_after_refresh(check)


def take_picture(app: App[Any], bridge: Bridge) -> None:
    """The focused panel into a file."""
    from cloudtui.actions import get
    from cloudtui.panel_picture import take

    app.run_worker(take(app, bridge, get("home.picture")), group="action", exit_on_error=False)


def leave(app: App[Any], chosen: Chosen, live: int, keep: Callable[[], None]) -> None:
    """Close the desktop, after a question where the user wants one; `live` runs go on.

    `keep` is called before it closes.
    """

    def end(sure: bool | None) -> None:
        if sure:
            keep()
            with suppress(CloudtuiError):  # the page of the next start does not say how long ago that was
                chosen.remember("desktop.left", time.time())
            app.exit(live)

    if not live or not chosen.value(CONFIRM_QUIT):
        end(sure=True)
        return
    from cloudtui.dialogs.confirm import ConfirmDialog

    runs = "One run is live. It goes on" if live == 1 else f"{live} runs are live. They go on"
    app.push_screen(ConfirmDialog("Close the desktop?", f"{runs} without it.", "Close"), end)


def open_help(app: App[Any], title: str, noun: str, places: Sequence[Place]) -> None:
    """The keys of what is focused."""
    from cloudtui.dialogs.help import HelpScreen
    from cloudtui.dialogs.help_text import help_facts

    app.push_screen(HelpScreen(title, help_facts(noun, app.focused, places, app.BINDINGS)))


def defect() -> Traceback:
    """What is told of the exception that is being handled: where it is, and no value of a variable."""
    from rich.traceback import Traceback

    return Traceback(width=None, show_locals=False)
