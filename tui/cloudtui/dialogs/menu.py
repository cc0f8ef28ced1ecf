"""An open menu below its title."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from cloudtui.dialogs import STYLES
from cloudtui.menus import Menu
from cloudtui.widgets.choices import Choice, Choices


class MenuScreen(ModalScreen[str | None]):
    """One of the menus; left and right go to its neighbours. Gives the id of the action that was chosen."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f10", "dismiss(None)", "Close", show=False),
        Binding("left", "turn(-1)", "Menu before", show=False),
        Binding("right", "turn(1)", "Next menu", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    def __init__(self, menus: Sequence[Menu], lefts: Sequence[int], index: int) -> None:
        super().__init__()
        self._menus = tuple(menus)
        self._lefts = tuple(lefts)
        self._index = index
        self._list = Choices(id="menu")

    def compose(self) -> ComposeResult:
        """The lines."""
        yield self._list

    def on_mount(self) -> None:
        """Below the title that was chosen."""
        self._show()

    def _show(self) -> None:
        menu = self._menus[self._index]
        width = max((len(e.title) + len(e.key) for e in menu.entries), default=8) + 6
        left = min(self._lefts[self._index] - 1, max(0, self.app.size.width - width - 2))
        self._list.styles.width = width + 2
        self._list.styles.offset = (left, 1)
        self._list.styles.max_height = self.app.size.height - 1  # it scrolls with its cursor
        self._list.show([Choice(e.action, e.title, e.key, e.enabled) for e in menu.entries])

    def action_turn(self, step: int) -> None:
        """Another menu."""
        self._index = (self._index + step) % len(self._menus)
        self._show()

    def action_move(self, step: int) -> None:
        """Another line."""
        self._list.move(step)

    def action_choose(self) -> None:
        """This one."""
        if self._list.chosen is not None:
            self.dismiss(self._list.chosen)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A line was clicked."""
        self.dismiss(event.value)

    def on_click(self, event: events.Click) -> None:
        """Beside the menu: another title, or nothing."""
        if event.screen_y == 0:
            for index in reversed(range(len(self._lefts))):
                if event.screen_x >= self._lefts[index] - 1:
                    self._index = index
                    self._show()
                    return
        self.dismiss(None)
