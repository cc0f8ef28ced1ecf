"""A plot of how small against how fast, each point with the glyph of its verdict. Pure but the widget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from cloudtui.widgets.lines import Lines, Runs


class Point(NamedTuple):
    """A variant: speed and size as ratios to what it was made from (above 1: faster, smaller)."""

    name: str
    speed: float
    size: float
    glyph: str
    style: str


class Pareto(Lines):
    """Speed to the right, size downwards, both by ratios: right and low is better."""

    DEFAULT_CSS = "Pareto { height: 1fr; width: 1fr; min-height: 5; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._points: tuple[Point, ...] = ()
        self._selected = ""
        self._whole = 0.0
        self._frame: tuple[tuple[object, ...], list[list[tuple[str, str]]]] | None = None

    def show(self, points: Sequence[Point], selected: str, size_bytes: float) -> None:
        """Draw these; `size_bytes` is what ratios of size count from."""
        if (tuple(points), selected, size_bytes) != (self._points, self._selected, self._whole):
            self._points, self._selected, self._whole = tuple(points), selected, size_bytes
            self.refresh()

    def runs(self, y: int) -> Runs:
        """A line of the plot."""
        key = (*self.size, self._points, self._selected, self._whole)
        if self._frame is None or self._frame[0] != key:
            self._frame = (key, draw(self._points, self._selected, self._whole, *self.size))
        lines = self._frame[1]
        return lines[y] if y < len(lines) else ()


def draw(
    points: Sequence[Point], selected: str, size_bytes: float, width: int, height: int
) -> list[list[tuple[str, str]]]:
    """Lines of exactly `height`: title, plot, axis."""
    left, rows = 7, height - 2
    inner = width - left - 2
    if rows < 2 or inner < 8:
        return []
    whole = [Point("before", 1.0, 1.0, "○", "muted"), *points]
    top_size = max(0.0, *(math.log(p.size) for p in whole))
    low_size = min(0.0, *(math.log(p.size) for p in whole))
    top_speed = max(0.4, *(math.log(p.speed) for p in whole))
    low_speed = min(0.0, *(math.log(p.speed) for p in whole))
    span_y, span_x = max(top_size - low_size, 0.4), top_speed - low_speed
    cells: dict[tuple[int, int], tuple[str, str]] = {}
    names: list[tuple[int, int, Point]] = []
    for point in sorted(whole, key=lambda p: p.name == selected):
        x = round((math.log(point.speed) - low_speed) / span_x * (inner - 1))
        y = round((math.log(point.size) - low_size) / span_y * (rows - 1))
        cells[(x, y)] = (point.glyph, f"*{point.style}" if point.name == selected else point.style)
        names.append((x, y, point))
    for x, y, point in reversed(names):
        _name(cells, x, y, point, inner, bold=point.name == selected)
    lines: list[list[tuple[str, str]]] = [[(" size ↓", "muted")]]
    for y in range(rows):
        text = _bytes(size_bytes / math.exp(low_size + span_y * y / max(1, rows - 1))) if size_bytes else ""
        mark = y in {0, rows - 1, (rows - 1) // 2}
        lines.append(
            [(f"{text if mark else '':>{left - 1}}{'┤' if mark else '│'}", "muted"), *_line(cells, y, inner)]
        )
    ends = [
        f"{math.exp(low_speed):.1f}x {word} {math.exp(top_speed):.1f}x"
        for word in ("speed at batch 1 →", "speed →")
    ]
    axis = next((text for text in ends if len(text) + 2 <= inner), "")
    lines.append([(" " * (left - 1) + "└" + "─" * max(1, inner - len(axis) - 1) + " " + axis, "muted")])
    return lines


def _name(
    cells: dict[tuple[int, int], tuple[str, str]], x: int, y: int, point: Point, width: int, *, bold: bool
) -> None:
    """Write the name beside its point where it covers nothing, else leave it out."""
    text = point.name[:18]
    for start in (x + 2, x - len(text) - 1):
        places = [(start + i, y) for i in range(-1, len(text) + 1)]
        inside = start >= 0 and start + len(text) <= width
        if inside and all(place == (x, y) or place not in cells for place in places):
            for i, letter in enumerate(text):
                cells[(start + i, y)] = (letter, "*accent" if bold else "faint")
            return


def _line(cells: dict[tuple[int, int], tuple[str, str]], y: int, width: int) -> list[tuple[str, str]]:
    runs: list[tuple[str, str]] = []
    for x in range(width):
        text, style = cells.get((x, y), (" ", ""))
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        else:
            runs.append((text, style))
    return runs


def _bytes(value: float) -> str:
    for unit in ("", "k", "M"):
        if value < 999.5:
            return f"{value:.0f}{unit}" if value >= 9.95 or not unit else f"{value:.1f}{unit}"
        value /= 1000
    return f"{value:.1f}G"
