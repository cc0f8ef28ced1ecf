"""Which line is which: sign, name, newest value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cloudtui.widgets.columns import fitted
from cloudtui.widgets.lines import Lines, Runs


class Entry(NamedTuple):
    """A line of a legend: sign and its style, name, how many runs, value."""

    sign: str
    style: str
    name: str
    value: str


class Legend(Lines):
    """An entry a line of the chart, and below them what is to be said about all."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self._notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Lines that it takes."""
        return len(self._entries) + len(self._notes)

    def show(self, entries: Sequence[Entry], notes: Sequence[str]) -> None:
        """Name these."""
        if (tuple(entries), tuple(notes)) != (self._entries, self._notes):
            self._entries, self._notes = tuple(entries), tuple(notes)
            self.refresh()

    def runs(self, y: int) -> Runs:
        """An entry, or a note."""
        if y >= self.height:
            return ()
        if y >= len(self._entries):
            return [(" ", ""), (self._notes[y - len(self._entries)], "muted")]
        one = self._entries[y]
        room = max(4, self.size.width - len(one.value) - 7)
        name = fitted(one.name, min(room, 72), "left")
        return [(f" {one.sign} ", one.style), (name, ""), (f"  {one.value}", "muted")]
