"""A heat map of differences: by how many rows each cell of one confusion is above or below another's."""

from __future__ import annotations

from typing import ClassVar

from cloudtui.widgets.heat_map import HeatMap, Matrix

_LEVELS = ((0.5, "*"), (0.1, ""))
"""Shares of the largest change from which on one is told strongly, or plainly."""


class DiffMap(HeatMap):
    """Draws a `Matrix` of differences: ▲ more rows, ▼ fewer. More on the diagonal is good, beside it bad."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("← ↑ ↓ →", "cell"), ("esc", "list"))

    def __init__(self) -> None:
        super().__init__()
        self._most = (1, 1)

    def show(self, matrix: Matrix) -> None:
        """Draw this."""
        self._most = most(matrix.counts)
        super().show(matrix)

    def text(self, row: int, column: int) -> str:
        """`▲12`, `▼3`, or a dot where nothing changed."""
        return changed(self.matrix.counts[row][column])

    def tone(self, row: int, column: int) -> str:
        """Whether it is for the better, and how strongly it is told."""
        right = row == column
        return toned(self.matrix.counts[row][column], self._most[right], right=right)

    def action_open(self) -> None:
        """There are no errors of a difference."""


def changed(count: int) -> str:
    """A change with its sign as a glyph: it is told without colour, too."""
    return "·" if not count else f"{'▲' if count > 0 else '▼'}{abs(count):,}"


def most(counts: tuple[tuple[int, ...], ...]) -> tuple[int, int]:
    """The largest change beside the diagonal, and on it."""
    found = [1, 1]
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            found[i == j] = max(found[i == j], abs(count))
    return found[0], found[1]


def toned(count: int, largest: int, *, right: bool) -> str:
    """The style of a cell; `right` is one of the diagonal, whose rows the model has right."""
    if not count:
        return "faint"
    strength = next((level for share, level in _LEVELS if abs(count) / largest >= share), None)
    return "muted" if strength is None else f"{strength}{'good' if (count > 0) == right else 'bad'}"
