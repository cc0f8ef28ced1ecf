"""Columns, rows, and how columns share a width. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from cloudtui.widgets.lines import safe

GAP = 2
MARGIN = 2  # the cursor's bar, or the mark


class Column(NamedTuple):
    """A column keeps its width whatever its cells hold."""

    title: str
    width: int
    align: Literal["left", "right"] = "left"
    sort: str = ""
    """What it is sorted by when its header is clicked; empty: not at all."""
    share: int = 0
    """Its part of the width that is left over."""
    rank: int = 0
    """Columns of the highest rank go first when there is no room; 0 never goes."""


Cell = tuple[str, str]
"""Clean text and a style name."""


class Row(NamedTuple):
    """A row: the id of what it shows, and a cell for each column."""

    key: str
    cells: tuple[Cell, ...]


def layout(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Which columns fit into `width`, and how wide each of them is: (index, width) in order."""
    shown = list(range(len(columns)))

    def needed() -> int:
        return MARGIN + sum(columns[i].width + GAP for i in shown) - GAP

    while needed() > width:
        going = max(shown, key=lambda i: (columns[i].rank, i))
        if columns[going].rank == 0:
            break
        shown.remove(going)
    left = max(0, width - needed())
    shares = sum(columns[i].share for i in shown)
    widths = {i: columns[i].width + (left * columns[i].share // shares if shares else 0) for i in shown}
    excess = needed() - width
    if excess > 0 and shown:  # nothing more can go: the widest column gives way
        widest = max(shown, key=lambda i: widths[i])
        widths[widest] = max(1, widths[widest] - excess)
    return [(i, widths[i]) for i in shown]


def fitted(text: str, width: int, align: str) -> str:
    """Text in exactly `width` cells; what is cut ends in an ellipsis."""
    text = safe(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding
