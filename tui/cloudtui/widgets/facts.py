"""Names and values under each other, in groups: settings, facts, what a machine has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static


@dataclass(frozen=True, slots=True)
class Fact:
    """A line: a name, a clean value and its style; without a name it is a heading."""

    name: str
    value: str = ""
    style: str = ""


class Facts(VerticalScroll, can_focus=True):
    """A sheet of facts that scrolls."""

    DEFAULT_CSS = "Facts { padding: 0 1; } Facts > Static { width: 1fr; height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._sheet = Static("", markup=False)
        self._shown: tuple[Fact, ...] = ()

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._sheet

    def show(self, facts: Sequence[Fact]) -> None:
        """Draw these, if they are others than before."""
        if tuple(facts) != self._shown:
            self._shown = tuple(facts)
            self._sheet.update(self._text())

    def refresh_colours(self) -> None:
        """Another theme."""
        self._sheet.update(self._text())

    def _text(self) -> Text:
        colours = self.app.theme_variables
        named = [fact for fact in self._shown if fact.style != "heading"]
        width = min(26, max((cell_len(fact.name) for fact in named), default=0))
        text = Text()
        for index, fact in enumerate(self._shown):
            if index:
                text.append("\n")
            if not fact.value and fact.style == "heading":
                text.append(f"\n{fact.name}" if index else fact.name, style="bold")
                continue
            pad = " " * max(0, width - cell_len(fact.name))
            text.append(f"{fact.name}{pad}  ", style=colours["muted"])
            text.append(fact.value, style=colours[fact.style] if fact.style in colours else "")
        return text
