"""Names and values under each other, in groups: settings, facts, what a machine has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from cloudtui.widgets.lines import safe


class Fact(NamedTuple):
    """A line: a name, a clean value and its style; without a name it is a heading."""

    name: str
    value: str = ""
    style: str = ""


class Facts(VerticalScroll, can_focus=True):
    """A sheet of facts that scrolls."""

    DEFAULT_CSS = "Facts { padding: 0 1; } Facts > Static { width: 1fr; height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._sheet = Static("", markup=False)
        self._shown: tuple[Fact, ...] = ()

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._sheet

    def show(self, facts: Sequence[Fact]) -> None:
        """Draw these, if they are others than before."""
        if tuple(facts) != self._shown:
            before, self._shown = self._shown, tuple(facts)
            # Words of the same lengths take as many lines: then nothing of the screen need be laid out anew.
            self._sheet.update(self._text(), layout=_shape(before) != _shape(self._shown))

    def _text(self) -> Group:
        colours = self.app.theme_variables
        named = [fact for fact in self._shown if fact.style != "heading"]
        width = min(26, max((cell_len(fact.name) for fact in named), default=0))
        parts: list[RenderableType] = []
        grid: Table | None = None
        for index, fact in enumerate(self._shown):
            if fact.style == "heading":
                parts.append(Text("\n" * bool(index) + safe(fact.name), style="bold"))
                grid = None
                continue
            if grid is None:
                grid = Table.grid(padding=(0, 2), expand=True)
                grid.add_column(width=width, no_wrap=True)
                grid.add_column(ratio=1, overflow="fold")
                parts.append(grid)
            style = colours.get(fact.style, "")
            grid.add_row(Text(safe(fact.name), style=colours["muted"]), Text(safe(fact.value), style=style))
        return Group(*parts)


def _shape(facts: Sequence[Fact]) -> list[tuple[str, list[int], bool]]:
    """What the height of a sheet depends on: where lines may break."""
    return [
        (one.name, [cell_len(word) for word in one.value.split(" ")], one.style == "heading") for one in facts
    ]
