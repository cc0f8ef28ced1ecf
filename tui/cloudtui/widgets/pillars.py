"""Values beside each other as pillars over a line of names: what each day has cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from cloudtui.widgets.lines import Lines, Runs

_PARTS = " ▁▂▃▄▅▆▇█"
_WIDEST = 4
"""Cells of a pillar; one more is the gap."""


class Pillar(NamedTuple):
    """One value, what stands below it, and its colour."""

    name: str
    value: float
    style: str = "accent"
    short: str = ""
    """A name for where the other has no room."""


class Pillars(Lines):
    """The newest that fit, the newest at the right; the scale begins at nothing."""

    DEFAULT_CSS = "Pillars { height: 8; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pillars: tuple[Pillar, ...] = ()
        self._top = ""

    def show(self, pillars: Sequence[Pillar], top: str) -> None:
        """Draw these, the oldest first; `top` is what the highest of them is called."""
        if (tuple(pillars), top) != (self._pillars, self._top):
            self._pillars, self._top = tuple(pillars), top
            self.refresh()

    def runs(self, y: int) -> Runs:
        """A line: part of the pillars, or the names below them."""
        return drawn(self._pillars, self._top, (self.size.width, self.size.height), y)


def drawn(pillars: Sequence[Pillar], top: str, size: tuple[int, int], y: int) -> Runs:
    """Line `y` of the pillars that have room, in so many columns and lines."""
    left = max(cell_len(top), 2) + 1
    room, high = size[0] - left - 1, size[1] - 1
    if not pillars or room < 2 or y > high:
        return ()
    wide = min(_WIDEST, max(1, room // len(pillars) - 1))
    shown = pillars[-(room // (wide + 1)) :]
    if y == high:
        return [(" " * left + "└", "rule"), (_names(shown, wide), "muted")]
    most = max(one.value for one in pillars)
    scale = top if y == 0 else "0" if y == high - 1 else ""
    runs: list[tuple[str, str]] = [(scale.rjust(left - 1) + " ", "muted"), ("┤" if scale else "│", "rule")]
    for one in shown:
        eighths = round(one.value / most * high * 8) if most > 0 else 0
        eighths = max(eighths, 1) if one.value > 0 else 0
        part = min(8, max(0, eighths - (high - 1 - y) * 8))
        runs.append((_PARTS[part] * wide + " ", one.style))
    return runs


def _names(shown: Sequence[Pillar], size: int) -> str:
    """The names below the pillars, as many as have room; the last one always."""
    line = [" "] * (len(shown) * (size + 1))
    free = len(line) + 1
    for place in range(len(shown) - 1, -1, -1):
        for name in (shown[place].name, shown[place].short):
            first = min(place * (size + 1), len(line) - len(name))
            if name and first >= 0 and first + len(name) < free:
                line[first : first + len(name)] = name
                free = first
                break
    return "".join(line)
