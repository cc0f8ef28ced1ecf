"""The areas at the left: a number, a name, how many. Folds to numbers where there is little room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual import events

from cloudtui.messages import OpenArea
from cloudtui.widgets.lines import Lines, Runs


class Place(NamedTuple):
    """An entry of the rail."""

    id: str
    key: str
    title: str


class Rail(Lines):
    """One line an area."""

    def __init__(self, places: Sequence[Place], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places = tuple(places)
        self._counts: Mapping[str, int] = {}
        self._current = ""

    def show(self, counts: Mapping[str, int]) -> None:
        """How many there are in each area."""
        if dict(counts) != dict(self._counts):
            self._counts = dict(counts)
            self.refresh()

    def go(self, area: str) -> None:
        """Mark this area as the one that is shown."""
        self._current = area
        self.refresh()

    def runs(self, y: int) -> Runs:
        """An area, or nothing below the last; a rule at the right."""
        width = self.size.width - 1
        if y >= len(self._places):
            return [(" " * width, ""), ("│", "rule")]
        place = self._places[y]
        here = place.id == self._current
        bar = ("▌" if here else " ", "accent")
        if width < 8:
            return [bar, (place.key.ljust(width - 1), "*accent" if here else "muted"), ("│", "rule")]
        count = self._counts.get(place.id)
        number = "" if count is None else f"{count:,}" if count < 100_000 else f"{count // 1000:,}k"
        title = place.title[: width - 4 - len(number)]
        gap = " " * (width - 3 - len(title) - len(number))
        style = "*accent" if here else ""
        return [bar, (f"{place.key} ", "muted"), (title, style), (gap + number, "muted"), ("│", "rule")]

    def on_click(self, event: events.Click) -> None:
        """Go there."""
        if 0 <= event.y < len(self._places):
            self.post_message(OpenArea(self._places[event.y].id))
