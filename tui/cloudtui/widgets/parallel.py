"""Parallel coordinates: an axis a setting, one for the outcome, a line a run. From values to braille."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from rich.cells import cell_len

from cloudtui.widgets import raster
from cloudtui.widgets.columns import fitted
from cloudtui.widgets.ticks import log_ticks, short, ticks

LOG_ABOVE = 100.0
"""An axis is logarithmic where its largest value is so many times its smallest, and all are positive."""
NARROWEST = 13
"""Cells from one axis to the next, at least: so many does a number need to be read."""
_RIGHT = 10
"""Cells beside the last axis for its numbers."""
_HEAD = 2

Brush = tuple[float, float]
"""The part of an axis, from 0 at its foot to 1, within which runs are shown."""
Run = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis, and where each run crosses it."""

    title: str
    places: tuple[float | None, ...]
    """From 0 at the foot to 1; None for a run that has no value."""
    texts: tuple[str, ...]
    """Each run's value."""
    marks: tuple[tuple[float, str], ...]
    """What is written beside it: both ends first."""

    def stops(self) -> list[float]:
        """Where runs cross it, from its foot up, each place once."""
        return sorted({place for place in self.places if place is not None})


def number_axis(title: str, values: Sequence[float | None]) -> Axis:
    """Numbers between the smallest and the largest; logarithmic where they span more than `LOG_ABOVE`."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    log = low > 0 and high / low > LOG_ABOVE
    at = math.log10 if log else float
    bottom, span = at(low) if known else 0.0, (at(high) - at(low)) if known else 0.0

    def place(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        return min(1.0, max(0.0, (at(value) - bottom) / span)) if span and math.isfinite(span) else 0.5

    ends = [(low, place(low)), (high, place(high))] if span else [(low, 0.5)]
    between = log_ticks(bottom, bottom + span, 5) if log else ticks(low, high, 5)
    inner = [(10.0**mark if log else mark, place(10.0**mark if log else mark)) for mark in between]
    marks = [(where, _number(value)) for value, where in (*ends, *inner) if where is not None and known]
    texts = tuple("–" if value is None else _number(value) for value in values)
    return Axis(
        f"{title} log" if log else title, tuple(place(value) for value in values), texts, tuple(marks)
    )


def _number(value: float) -> str:
    """Four digits and no zeros behind them: there is little room beside an axis."""
    return f"{value:.4g}" if value == 0 or 1e-4 <= abs(value) < 1e4 else short(value)


def word_axis(title: str, words: Sequence[str], order: Sequence[str]) -> Axis:
    """Categories at even distances in this order, the first one at the foot."""
    last = max(1, len(order) - 1)
    at = {word: index / last if len(order) > 1 else 0.5 for index, word in enumerate(order)}
    names = [*order[:1], *order[:0:-1]]  # both ends first: what has no room is left out
    return Axis(
        title, tuple(at.get(word) for word in words), tuple(words), tuple((at[one], one) for one in names)
    )


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a frame depends on."""

    axes: tuple[Axis, ...]
    """The outcome last."""
    focus: int | None = None
    """The place of the run that is told from the others."""
    cursor: int = 0
    """The axis that keys act on."""
    first: int = 0
    """The first axis that is seen, where there are more than fit; the last one always is."""
    brushes: Mapping[int, Brush] = field(default_factory=dict)

    def kept(self) -> list[int]:
        """The runs within all brushes."""
        runs = range(len(self.axes[0].places) if self.axes else 0)
        return [
            run
            for run in runs
            if all(_within(self.axes[at].places[run], it) for at, it in self.brushes.items())
        ]


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows of text, and where the axes stand in them."""

    rows: list[list[Run]]
    columns: tuple[tuple[int, int], ...] = ()
    """An axis and its cell, from left to right."""
    height: int = 0
    """Rows of the plot, below the two of the head."""

    def axis_at(self, x: int) -> int | None:
        """The axis that stands at a cell, or right beside it."""
        return next((axis for axis, column in self.columns if abs(column - x) <= 1), None)

    def place_at(self, y: int) -> float:
        """How high a row of the frame is on the axes."""
        return min(1.0, max(0.0, 1.0 - (y - _HEAD + 0.5) / max(1, self.height)))


def seen(count: int, first: int, width: int) -> list[int]:
    """The axes that fit: from `first` on, and always the last one."""
    room = max(2, (width - 2 - _RIGHT) // NARROWEST + 1)
    if count <= room:
        return list(range(count))
    first = min(max(0, first), count - room)
    return [*range(first, first + room - 1), count - 1]


def scrolled(count: int, first: int, cursor: int, width: int) -> int:
    """The first axis that is to be seen so that the cursor's is."""
    shown = seen(count, first, width)
    if cursor in shown:
        return shown[0]
    return cursor if cursor < shown[0] else cursor - (len(shown) - 2)


def draw(spec: Spec, width: int, height: int) -> Frame:
    """A frame of `width` by `height` cells."""
    rows = height - _HEAD
    if not spec.axes or rows < 2 or width < 2 * NARROWEST:
        return Frame([[(" " * width, "axis")] for _ in range(max(0, height))])
    shown = seen(len(spec.axes), spec.first, width)
    step = (width - 2 - _RIGHT) / max(1, len(shown) - 1)
    columns = tuple((axis, 1 + round(index * step)) for index, axis in enumerate(shown))
    canvas = _canvas(spec, columns, width, rows)
    for index, (axis, column) in enumerate(columns):
        room = (columns[index + 1][1] if index + 1 < len(columns) else width) - column - 2
        _axis(canvas, spec, axis, column, room)
    return Frame([*_head(spec, columns, width), *map(_runs, canvas)], columns, rows)


def _canvas(spec: Spec, columns: Sequence[tuple[int, int]], width: int, rows: int) -> list[list[Run]]:
    """The lines of the runs that are kept: dim, and the one in focus over them."""
    kept = spec.kept()
    others = _dots(spec, columns, [run for run in kept if run != spec.focus], width, rows)
    focus = _dots(spec, columns, [run for run in kept if run == spec.focus], width, rows)
    cells = raster.texts(others | focus)
    bright = focus > 0
    return [
        [(character, "*accent" if bright[row, x] else "faint") for x, character in enumerate(text)]
        for row, text in enumerate(cells)
    ]


def _dots(
    spec: Spec, columns: Sequence[tuple[int, int]], runs: Sequence[int], width: int, rows: int
) -> raster.Cells:
    across, down = width * raster.DOTS_X, rows * raster.DOTS_Y
    mask = np.zeros((down, across), dtype=np.bool_)
    view = raster.View(0.0, float(across), 0.0, 1.0)
    xs = [column * raster.DOTS_X + 0.5 for _, column in columns]
    for run in runs:
        heights = [spec.axes[axis].places[run] for axis, _ in columns]
        line = raster.prepare(xs, [math.nan if one is None else one for one in heights])
        mask |= raster.dots(*raster.envelope(line, view.x0, view.x1, across), view, down)
    return raster.pack(mask)


def _axis(canvas: list[list[Run]], spec: Spec, axis: int, column: int, room: int) -> None:
    """The axis itself, its brush, its numbers, and where the run in focus crosses it."""
    rows, found = len(canvas), spec.axes[axis]
    brush = spec.brushes.get(axis)
    plain = "accent" if axis == spec.cursor else "axis"
    for row in range(rows):
        within = brush is not None and _row(brush[1], rows) <= row <= _row(brush[0], rows)
        canvas[row][column] = ("┃", "*accent") if within else ("╎" if brush else "│", plain)
    taken: set[int] = set()
    for place, text in found.marks:
        row = _row(place, rows)
        if not taken & {row - 1, row, row + 1} or (not taken & {row} and rows < 8):
            taken.add(row)
            _write(canvas[row], column + 1, fitted(text, min(room, cell_len(text)), "left"))
    here = found.places[spec.focus] if spec.focus is not None else None
    if here is not None and spec.focus in spec.kept():
        canvas[_row(here, rows)][column] = ("●", "*accent")


def _write(line: list[Run], left: int, text: str, style: str = "muted") -> None:
    """Put a text into a line of cells; of a wide character the second cell is empty."""
    for character in text:
        if left + cell_len(character) > len(line):
            return
        line[left] = (character, style)
        line[left + 1 : left + cell_len(character)] = [("", style)] * (cell_len(character) - 1)
        left += cell_len(character)


def _head(spec: Spec, columns: Sequence[tuple[int, int]], width: int) -> list[list[Run]]:
    """Titles, and below them what the run in focus has."""
    titles: list[Run] = [(" ", "muted")] * width
    values = list(titles)
    lefts = [column for _, column in columns]
    if len(columns) > 1:  # there is little room beside the last one, but some before it
        fitting = width - cell_len(spec.axes[columns[-1][0]].title)
        lefts[-1] = min(lefts[-1], max(lefts[-2] + NARROWEST, fitting))
    for index, (axis, column) in enumerate(columns):
        found, last = spec.axes[axis], index + 1 == len(columns)
        gap = index > 0 and axis > columns[index - 1][0] + 1
        title, room = (
            f"… {found.title}" if gap else found.title,
            [*lefts, width + 1][index + 1] - lefts[index] - 1,
        )
        style = "*accent" if axis == spec.cursor else "muted"
        _write(titles, lefts[index], fitted(title, min(room, cell_len(title)), "left"), style)
        if spec.focus is not None:
            text, room = (
                f"● {found.texts[spec.focus]}",
                (width if last else columns[index + 1][1] - 1) - column,
            )
            _write(values, column, fitted(text, min(room, cell_len(text)), "left"), "accent")
    return [_runs(titles), _runs(values)]


def _row(place: float, rows: int) -> int:
    return min(rows - 1, max(0, round((1.0 - place) * (rows * raster.DOTS_Y - 1)) // raster.DOTS_Y))


def _runs(line: list[Run]) -> list[Run]:
    return [
        ("".join(text for text, _ in part), style) for style, part in groupby(line, key=lambda one: one[1])
    ]


def _within(place: float | None, brush: Brush) -> bool:
    return place is not None and brush[0] - 1e-9 <= place <= brush[1] + 1e-9


def nearest(spec: Spec, frame: Frame, x: int, y: int) -> int | None:
    """The kept run whose line passes closest to a cell; None where none does at all."""
    sides = [
        one for one in zip(frame.columns, frame.columns[1:], strict=False) if one[0][1] <= x <= one[1][1]
    ]
    if not sides:
        return None
    (left, left_x), (right, right_x) = sides[0]
    share, height = (x - left_x) / max(1, right_x - left_x), frame.place_at(y)
    found = []
    for run in spec.kept():
        a, b = spec.axes[left].places[run], spec.axes[right].places[run]
        if a is not None and b is not None:
            found.append((abs(a + (b - a) * share - height), run))
    return min(found)[1] if found else None
