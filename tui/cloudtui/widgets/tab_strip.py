"""The line above a detail: whose it is, its tabs, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.message import Message

from cloudtui.widgets.lines import OneLine, Runs


class TabStrip(OneLine):
    """` vit-small-aug-3 ── Charts  Log  Config ───────── step 5,460`."""

    DEFAULT_CSS = "TabStrip { height: 1; }"

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tabs = tuple(tabs)
        self.current = self.tabs[0]
        self._title = ""
        self._right = ("", "muted")
        self._focused = False
        self._places: list[tuple[int, int, str]] = []

    def show(self, title: str, right: str = "", right_style: str = "muted") -> None:
        """Whose tabs these are, and what is said at the right."""
        if (title, (right, right_style)) != (self._title, self._right):
            self._title, self._right = title, (right, right_style)
            self.refresh()

    def offer(self, tabs: Sequence[str], wanted: str) -> None:
        """Other tabs; the wanted one is open where it is among them, else the first."""
        if tuple(tabs) != self.tabs:
            self.tabs = tuple(tabs)
            self.current = wanted if wanted in self.tabs else self.tabs[0]
            self.refresh()

    def places(self) -> list[tuple[int, str]]:
        """(column, tab) of each that is seen."""
        return [(start, tab) for start, end, tab in self._places if end <= self.size.width]

    def go(self, tab: str) -> None:
        """Mark this tab as the one that is shown."""
        self.current = tab
        self.refresh()

    def focused(self, value: bool) -> None:
        """What lies below has the focus."""
        if value != self._focused:
            self._focused = value
            self.refresh()

    def line(self) -> Runs:
        """The one line."""
        width = self.size.width
        rule = "accent" if self._focused else "rule"
        tabs_width = sum(len(tab) + 2 for tab in self.tabs) + 1
        title = self._title
        room = width - tabs_width - 6
        if cell_len(title) > room:
            title = set_cell_size(title, room - 1) + "…" if room > 6 else ""
        runs: list[tuple[str, str]] = [(" ", ""), (title, "title"), (" ── " if title else "", rule)]
        used = sum(cell_len(text) for text, _ in runs)
        self._places = []
        for tab in self.tabs:
            runs += [(tab, "*accent" if tab == self.current else "muted"), ("  ", "")]
            self._places.append((used, used + len(tab) + 1, tab))
            used += len(tab) + 2
        right, right_style = self._right
        left = width - used - (cell_len(right) + 2 if right else 1)
        if left < 0:
            right, left = "", max(0, width - used - 1)
        runs.append(("─" * left, rule))
        if right:
            runs.append((f" {right} ", right_style))
        return runs

    def on_click(self, event: events.Click) -> None:
        """Show that tab."""
        for start, end, tab in self._places:
            if start <= event.x < end:
                event.stop()  # a double click on a tab is not one on the border
                self.post_message(self.Chosen(tab))
