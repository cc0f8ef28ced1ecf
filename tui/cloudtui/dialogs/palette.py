"""Search or run: actions that make sense now, areas, and what the catalog has by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from cloudtui.bridge import Bridge, Reader
from cloudtui.dialogs import STYLES
from cloudtui.widgets.choices import Choice, Choices
from cloudtui.widgets.ordered_input import OrderedInput
from cloudtui_engine.errors import CloudtuiError

MOST = 12
"""Actions that are shown; what the catalog has comes behind them."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something to go to or to do: `action:run.stop`, `runs:`, `runs:<id>`, `view:<filter>`."""

    value: str
    text: str
    right: str = ""


def matches(query: str, found: Sequence[Found]) -> list[Found]:
    """Those that hold every word, or all letters in order; beginnings of words come first."""
    words = query.lower().split()
    scored = []
    for place, one in enumerate(found):
        score = _score(words, f"{one.text} {one.right}".lower())
        if score is not None:
            scored.append((score, place, one))
    scored.sort(key=lambda item: item[:2])
    return [one for _, _, one in scored]


def _score(words: Sequence[str], text: str) -> int | None:
    total = 0
    for word in words:
        if text.startswith(word):
            continue
        if f" {word}" in text:
            total += 1
        elif word in text:
            total += 2
        elif _in_order(word, text):
            total += 10
        else:
            return None
    return total


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


class Palette(ModalScreen[str | None]):
    """A line to type in and what fits below it. Gives the value of what was chosen."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "dismiss(None)", "Close", show=False),
        Binding("up", "move(-1)", "Up", show=False, priority=True),
        Binding("down", "move(1)", "Down", show=False, priority=True),
    ]

    def __init__(
        self, bridge: Bridge, known: Sequence[Found], search: Callable[[str], Sequence[Found]]
    ) -> None:
        super().__init__()
        self._known = tuple(known)
        self._search = search
        self._reader = Reader(self, bridge, self._failed)
        self._list = Choices()

    def compose(self) -> ComposeResult:
        """A line and a list."""
        with Vertical(classes="palette"):
            yield OrderedInput(placeholder="An action, a run, a model, a dataset, a machine", compact=True)
            yield self._list

    def on_mount(self) -> None:
        """What is known without asking."""
        self._show("", ())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Actions at once; names from the catalog as soon as they are found."""
        event.stop()
        query = event.value.strip()
        self._show(query, ())
        if query:
            self._reader.ask(lambda: (query, self._search(query)), self._searched)

    def _searched(self, result: tuple[str, Sequence[Found]]) -> None:
        query, found = result
        if query == self.query_one(Input).value.strip():
            self._show(query, found)

    def _show(self, query: str, found: Sequence[Found]) -> None:
        named = [one for one in found if one.value.startswith("view:")]  # a person's own words: with ours
        others = [one for one in found if one not in named]
        shown = [*matches(query, [*named, *self._known])[:MOST], *others]
        if not shown:
            self._list.show([Choice("", f"Nothing is called “{query}”", enabled=False)])
            return
        self._list.show([Choice(one.value, one.text, one.right) for one in shown])

    def _failed(self, error: CloudtuiError) -> None:
        self._list.show([Choice("", error.message, enabled=False)])

    def action_move(self, step: int) -> None:
        """Another line."""
        self._list.move(step)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """This one."""
        event.stop()
        if self._list.chosen:
            self.dismiss(self._list.chosen)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A line was clicked."""
        self.dismiss(event.value)
