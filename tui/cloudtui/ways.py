"""Ways around the desktop that are more than a key: each is imported when somebody takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.geometry import Offset

from cloudtui import menus
from cloudtui.bridge import Bridge, Reader
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui.here import Here
    from cloudtui.performing import Performer
    from cloudtui.typed import Typed
    from cloudtui.visited import Visited


STEP = 4
"""Cells that a key moves a border by."""


class Ways:
    """What the keys `m`, … open or move, for one desktop."""

    def __init__(
        self, app: App[Any], bridge: Bridge, here: Here, visited: Visited, performer: Callable[[], Performer]
    ) -> None:
        self._app = app
        self._bridge = bridge
        self._visited = visited
        self._here = here
        self._performer = performer
        self._all: Mapping[str, Callable[[], None]] = {
            "context": self._context, "command": self._command, "actions": self._actions, "jump": self._jump,
            "maximise": self._maximise, "narrower": lambda: self._widen(-STEP),
            "wider": lambda: self._widen(STEP), "even": self._even, "questions": self._questions,
        }  # fmt: skip

    def go(self, name: str) -> None:
        """Take the way of this name."""
        self._all[name]()

    # What can be done with what is selected

    def _context(self) -> None:
        """From the keyboard: below the row under the cursor."""
        area = self._visited.area
        if area is not None:
            area.pane.table.want_menu()

    def open_context(self, place: Offset) -> None:
        """The menu of what is selected, beside this place of the screen."""
        from cloudtui.carrying import called
        from cloudtui.dialogs.context_menu import ContextMenu

        noun, selected = self._here.selection
        if not noun:
            return
        title = clean_line(called(selected[0]), 40) if len(selected) == 1 else f"{len(selected)} {noun}s"

        def chosen(name: str | None) -> None:
            if name is not None:
                self._here.perform(name)

        self._app.push_screen(
            ContextMenu(title if selected else noun.capitalize(), menus.of_selected(noun, selected), place),
            chosen,
        )

    # The line `:`

    @cached_property
    def _typed(self) -> Typed:
        from cloudtui.typed import Typed

        return Typed(self._app, self._bridge, self._here, self._visited, self._performer)

    def _command(self) -> None:
        """A line for a command."""
        from cloudtui.commanding.offering import Known
        from cloudtui.dialogs.command_line import CommandLine
        from cloudtui.typed import PLACES, known

        line = CommandLine(Known(PLACES), self._typed.check, self._typed.find)

        def chosen(act: Callable[[], None] | None) -> None:
            if act is not None:
                act()

        self._app.push_screen(line, chosen)
        reader = Reader(line, self._bridge, lambda error: self._app.log(error.message))
        reader.ask(lambda: known(self._bridge.catalog), line.learn)

    # What was done

    def _actions(self) -> None:
        """The log of actions."""
        from cloudtui.dialogs.action_log import ActionLogScreen
        from cloudtui.handlers.acting import acts
        from cloudtui.handlers.session import Session

        session = Session(self._bridge.paths, self._bridge.catalog, wait=False)
        self._app.push_screen(ActionLogScreen(self._bridge, lambda limit: acts(session, limit)))

    # What waits

    def _questions(self) -> None:
        """The open questions, those that were put aside included."""
        self._app.run_worker(self._ask_again(), group="questions", exclusive=True, exit_on_error=False)

    async def _ask_again(self) -> None:
        from cloudtui.dialogs.questions import ask_all

        asked: set[str] = set()
        await ask_all(self._app, self._bridge, asked)
        if not asked:
            self._app.notify("Nothing waits for an answer of yours.", timeout=4)

    # Panels

    def _jump(self) -> None:
        from cloudtui.jumping import jump

        jump(self._app)

    def _maximise(self) -> None:
        """The focused panel alone, or all of them again."""
        from cloudtui.panel_picture import panel_of

        screen = self._app.screen
        panel = panel_of(self._app.focused)
        if screen.maximized is not None:
            screen.minimize()
        elif panel is not None:
            screen.maximize(panel, container=False)
        self._here.show()

    def _widen(self, cells: int) -> None:
        if self._visited.area is not None and self._app.screen.maximized is None:
            self._visited.area.widen(cells)

    def _even(self) -> None:
        if self._visited.area is not None:
            self._visited.area.reset()
