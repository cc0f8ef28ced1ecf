"""Aligned columns for a terminal: numbers right, text left, cut to the width that is there."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui.format import MISSING

GAP = "  "
_NARROWEST = 6


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `right` for numbers; what `shrinks` gives way first where the terminal is narrow."""

    title: str
    right: bool = False
    shrinks: bool = False


def width(text: str) -> int:
    """Cells that a terminal takes for it."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def fit(text: str, cells: int) -> str:
    """`text` in at most so many cells."""
    if width(text) <= cells:
        return text
    while text and width(text) > cells - 1:
        text = text[:-1]
    return text + "…"


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], cells: int | None = None) -> list[str]:
    """The lines of a table. `cells` is the terminal's width; None cuts nothing."""
    filled = [[value or MISSING for value in row] for row in rows]
    widths = [
        max([width(column.title), *(width(row[index]) for row in filled)])
        for index, column in enumerate(columns)
    ]
    if cells is not None:
        _shrink(columns, widths, cells)
    lines = [[column.title for column in columns], *filled]
    return [_line(columns, widths, line) for line in lines]


def _shrink(columns: Sequence[Column], widths: list[int], cells: int) -> None:
    over = sum(widths) + len(GAP) * (len(widths) - 1) - cells
    while over > 0:
        able = [i for i, column in enumerate(columns) if column.shrinks and widths[i] > _NARROWEST]
        if not able:
            return
        widest = max(able, key=lambda index: widths[index])
        widths[widest] -= 1
        over -= 1


def _line(columns: Sequence[Column], widths: Sequence[int], values: Sequence[str]) -> str:
    parts = []
    for column, cells, value in zip(columns, widths, values, strict=True):
        text = fit(value, cells)
        space = " " * (cells - width(text))
        parts.append(space + text if column.right else text + space)
    return GAP.join(parts).rstrip()


def pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    """`Name   value` lines; without the rows that have no value."""
    kept = [(name, value) for name, value in rows if value and value != MISSING]
    cells = max((width(name) for name, _ in kept), default=0)
    return [f"{name}{' ' * (cells - width(name))}  {value}" for name, value in kept]
