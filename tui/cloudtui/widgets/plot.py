"""One frame of a chart as rows of styled text: title, values, axes, braille plot, crosshair. No screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len, set_cell_size

from cloudtui.widgets import axes, raster, smoothing
from cloudtui.widgets.ticks import axis_label, log_ticks, short, ticks

MARKERS = "●▲■◆★▼"
"""Told apart without colour: in the legend and at the last point of each line."""
SMOOTH_ABOVE = 3.0
"""Points a dot column from which on a mean is drawn over a dim envelope, where nothing else was asked for."""
_BLANK, _RULE = 0x20, ord("┊")

Run = tuple[str, str]
"""Text and the name of its style: title, axis, pointer, s0..s5 for a series, d0..d5 for its dim envelope."""


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a frame depends on."""

    title: str
    labels: Sequence[str]
    lines: Sequence[raster.Line]
    log: bool = False
    smooth: bool | None = None
    """None: smoothed where the points are dense."""
    zoom: tuple[float, float] | None = None
    pointer: float | None = None
    axis: axes.Axis = "step"
    until: float | None = None
    """Draw the lines only as far as here; the view is that of all."""
    means: Sequence[raster.Line] = ()
    """The smoothed lines, where the caller has them already."""

    def smooths(self, line: raster.Line, columns: int) -> bool:
        """This line is drawn smoothed, over its dim envelope."""
        return self.smooth if self.smooth is not None else len(line) > SMOOTH_ABOVE * columns


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows of text and where the plot lies in them."""

    rows: list[list[Run]]
    left: int = 0
    width: int = 0
    view: raster.View | None = None


def draw(spec: Spec, width: int, height: int, gutter: int = 0) -> Frame:
    """A frame of `width` by `height` cells whose y labels take at least `gutter` cells."""
    zoom = spec.zoom or (None, None)
    view = raster.extent(list(spec.lines), *zoom)
    spec = _cut(spec)
    header = _header(spec, width)
    rows = height - 2
    if view is None or rows < 1 or width < 12:
        filler = [[(" " * width, "axis")] for _ in range(max(0, height - 1))]
        if filler and view is None and height > 2:
            filler[len(filler) // 2] = [(set_cell_size("No points yet".center(width), width), "axis")]
        return Frame([header, *filler][: max(height, 0)])
    labels = _y_labels(view, rows, log=spec.log)
    left = max(gutter, *(len(text) for text in labels.values()), 3) + 1 if labels else max(gutter, 3) + 1
    inner = width - left
    # Values near the largest float: what overflows lies far outside, and is cut off where it is drawn.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        characters, owners = _cells(spec, view, inner, rows)
    body = []
    for row in range(rows):
        label = labels.get(row, "")
        axis = f"{label:>{left - 1}}{'┤' if label else '│'}"
        body.append([(axis, "axis"), *_runs(characters[row], owners[row])])
    return Frame([header, *body, [(_x_axis(spec.axis, view, left, inner), "axis")]], left, inner, view)


def step_at(frame: Frame, column: int) -> float | None:
    """The x value under a cell of the frame; None beside the plot."""
    if frame.view is None or not frame.left <= column < frame.left + frame.width:
        return None
    share = (column - frame.left + 0.5) / frame.width
    return frame.view.x0 + share * (frame.view.x1 - frame.view.x0)


def nearest(line: raster.Line, step: float) -> int | None:
    """The index of the point closest to `step`."""
    if not len(line):
        return None
    index = int(np.searchsorted(line.x, step))
    if index == len(line) or (index and step - line.x[index - 1] <= line.x[index] - step):
        index -= 1
    return index


def _header(spec: Spec, width: int) -> list[Run]:
    """The title, and at the right the newest value of each line or those under the pointer."""
    title = _title(spec)
    if cell_len(title) > width * 2 // 3:
        title = spec.title
    place = "" if spec.pointer is None else axes.reading(spec.axis, spec.pointer) + "  "
    tries = [(place, True), (place, False), (place.removeprefix(spec.axis + " "), False)]
    at, values = "", _values(spec, names=False)
    for text, names in tries:
        found = _values(spec, names=names)
        if cell_len(title) + 1 + cell_len(text) + _width(found) <= width:
            at, values = text, found
            break
    room = width - cell_len(title) - cell_len(at) - 1
    while len(values) > 1 and _width(values) > room:
        values.pop()
    if _width(values) > room:
        return [(set_cell_size(title, width), "title")]
    gap = room + 1 - _width(values)
    runs: list[Run] = [(title, "title"), (" " * gap, "axis"), (at, "pointer")]
    for index, run in enumerate(values):
        runs += [("  ", "axis"), run] if index else [run]
    return runs


def _title(spec: Spec) -> str:
    """What is drawn, and over what; what a logarithmic axis passes over is said."""
    # The crosshair's place says it, too.
    told = spec.axis == "step" or spec.pointer is not None
    title = spec.title if told else f"{spec.title}  by {spec.axis}"
    left_out = sum(line.left_out for line in spec.lines)
    return title + (f"  log, {left_out:,} ≤ 0 left out" if left_out else "  log") if spec.log else title


def _cut(spec: Spec) -> Spec:
    if spec.until is None:
        return spec
    lines, means = ([raster.upto(line, spec.until) for line in part] for part in (spec.lines, spec.means))
    return replace(spec, lines=lines, means=means)


def _values(spec: Spec, *, names: bool) -> list[Run]:
    values: list[Run] = []
    for index, (label, line) in enumerate(zip(spec.labels, spec.lines, strict=True)):
        at = nearest(line, spec.pointer) if spec.pointer is not None else len(line) - 1
        value = float(line.y[at]) if at is not None and at >= 0 else float("nan")
        text = short(10.0**value if spec.log and value < 300 else value)
        sign = MARKERS[index % len(MARKERS)]
        name = "" if len(spec.lines) == 1 else f"{sign} {label} " if names else f"{sign} "
        values.append((name + text, f"s{index % len(MARKERS)}"))
    return values


def _width(values: Sequence[Run]) -> int:
    return sum(cell_len(text) + 2 for text, _ in values) - 2 if values else 0


def _y_labels(view: raster.View, rows: int, *, log: bool) -> dict[int, str]:
    most = max(2, rows // 3)
    labels: dict[int, str] = {}
    if log:
        marks = log_ticks(view.y0, view.y1, most)
        texts = [short(10.0**mark, 3) if -300 < mark < 300 else f"1e{mark:.0f}" for mark in marks]
    else:
        marks = ticks(view.y0, view.y1, most)
        step = marks[1] - marks[0] if len(marks) > 1 else abs(view.y1 - view.y0)
        texts = [axis_label(mark, step) for mark in marks]
    places: raster.Floats | list[float] = (
        raster.rows_of(np.array(marks, dtype=np.float64), view, rows) if marks else []
    )
    for text, place in zip(texts, places, strict=True):
        labels[min(rows - 1, max(0, int(place)))] = text[:9]
    return labels


def _x_axis(axis: axes.Axis, view: raster.View, left: int, width: int) -> str:
    line = [" "] * (left + width)
    free = 0
    for mark, text in axes.marks(axis, view.x0, view.x1, max(2, width // 12)):
        middle = left + int((mark - view.x0) / (view.x1 - view.x0) * (width - 1))
        start = min(max(left - 1, middle - len(text) // 2), left + width - len(text))
        if start >= free:
            line[start : start + len(text)] = text
            free = start + len(text) + 1
    return "".join(line)


def _cells(
    spec: Spec, view: raster.View, width: int, height: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int16]]:
    """The character of each cell and its owner: series, dim envelope (+ 100), pointer (200), none (-1)."""
    columns, rows = width * raster.DOTS_X, height * raster.DOTS_Y
    lines, dim = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    owners = np.full((height, width), -1, np.int16)
    bright: list[tuple[int, raster.Cells]] = []
    for index in reversed(range(len(spec.lines))):
        line = spec.lines[index]
        low, high = raster.envelope(line, view.x0, view.x1, columns)
        cells = raster.pack(raster.dots(low, high, view, rows))
        if spec.smooths(line, columns):
            dim |= cells
            owners[cells > 0] = index % len(MARKERS) + 100
            mean = spec.means[index] if spec.means else smoothing.smoothed(line, smoothing.USUAL)
            cells = raster.pack(raster.dots(*raster.envelope(mean, view.x0, view.x1, columns), view, rows))
        bright.append((index % len(MARKERS), cells))
    for owner, cells in bright:
        lines |= cells
        owners[cells > 0] = owner
    codes = np.where(lines > 0, lines, dim)
    characters = np.where(codes == 0, _BLANK, codes.astype(np.uint32) + 0x2800).astype(np.uint32)
    _marks(spec, view, characters, owners)
    return characters, owners


def _marks(
    spec: Spec, view: raster.View, characters: npt.NDArray[np.uint32], owners: npt.NDArray[np.int16]
) -> None:
    """The crosshair, and the sign of each line at its last visible point where there are several."""
    height, width = characters.shape
    span = view.x1 - view.x0
    if spec.pointer is not None and view.x0 <= spec.pointer <= view.x1:
        column = min(width - 1, int((spec.pointer - view.x0) / span * width))
        empty = characters[:, column] == _BLANK
        characters[empty, column] = _RULE
        owners[empty, column] = 200
    if len(spec.lines) < 2:
        return
    for index, line in enumerate(spec.lines):
        last = int(np.searchsorted(line.x, view.x1, "right")) - 1
        if last < 0 or line.x[last] < view.x0:
            continue
        column = min(width - 1, int((line.x[last] - view.x0) / span * width))
        row = int(raster.rows_of(line.y[last : last + 1], view, height)[0])
        if 0 <= row < height:
            characters[row, column] = ord(MARKERS[index % len(MARKERS)])
            owners[row, column] = index % len(MARKERS)


def _runs(characters: npt.NDArray[np.uint32], owners: npt.NDArray[np.int16]) -> list[Run]:
    width = len(characters)
    text = str(np.ascontiguousarray(characters, dtype="<u4").view(f"<U{width}")[0])
    cuts = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), width]
    runs: list[Run] = []
    for start, stop in pairwise(cuts):
        runs.append((text[start:stop], _style(int(owners[start]))))
    return runs


def _style(owner: int) -> str:
    if owner < 0:
        return "axis"
    if owner == 200:
        return "pointer"
    return f"s{owner}" if owner < 100 else f"d{owner - 100}"
