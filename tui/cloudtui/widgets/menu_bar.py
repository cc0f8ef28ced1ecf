"""The first line: menus, and the way to the palette."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from cloudtui.messages import OpenMenu
from cloudtui.widgets.lines import OneLine, Runs

_PALETTE = "Search or run  ctrl+p"


class MenuBar(OneLine):
    """` File  View  Instance  …                     Search or run  ctrl+p`."""

    DEFAULT_CSS = "MenuBar { height: 1; dock: top; }"

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = tuple(titles)
        self._open: int | None = None

    def opened(self, index: int | None) -> None:
        """Mark the menu that is open."""
        self._open = index
        self.refresh()

    def left_of(self, index: int) -> int:
        """The column in which a menu's title begins."""
        return 1 + sum(len(title) + 2 for title in self._titles[:index])

    def at(self, x: int) -> int | None:
        """The menu whose title is in this column."""
        for index, title in enumerate(self._titles):
            left = self.left_of(index)
            if left - 1 <= x <= left + len(title):
                return index
        return None

    def line(self) -> Runs:
        """The one line."""
        runs: list[tuple[str, str]] = [(" ", "")]
        for index, title in enumerate(self._titles):
            runs += [(title, "*accent" if index == self._open else ""), ("  ", "")]
        used = sum(len(text) for text, _ in runs)
        gap = self.size.width - used - len(_PALETTE) - 1
        if gap > 0:
            runs += [(" " * gap, ""), (_PALETTE, "muted")]
        return runs

    def on_click(self, event: events.Click) -> None:
        """Open what is clicked."""
        index = self.at(event.x)
        if index is not None:
            self.post_message(OpenMenu(index))
        elif event.x >= self.size.width - len(_PALETTE) - 1:
            self.post_message(OpenMenu(None))
