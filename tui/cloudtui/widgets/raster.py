"""Points to braille dots: an exact envelope for every dot column. Arrays in, arrays out; no screen here.

Every finite point within the view lands in a dot, and neighbouring points are joined by a straight line
unless a value that is not finite lies between them. The cost is one pass over the points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.uint8]

_LARGEST = float(np.finfo(np.float64).max)
_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
"""The bit of each dot of a braille cell: four rows of two."""
DOTS_X = 2
DOTS_Y = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A series that can be drawn: finite points in the order of x."""

    x: Floats
    y: Floats
    joined: Mask
    """`joined[i]`: a line leads from point i - 1 to point i."""
    left_out: int = 0
    """Points that a logarithmic axis has no place for: 0 and below."""

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class View:
    """The part of the plane that fills the plot; y is a power of ten when the axis is logarithmic."""

    x0: float
    x1: float
    y0: float
    y1: float


def prepare(steps: Any, values: Any, *, log: bool = False) -> Line:
    """Points as a line: sorted by x, without what is not finite (gaps stay gaps); `log` takes y to log10."""
    x = np.asarray(steps, dtype=np.float64).reshape(-1)
    y = np.asarray(values, dtype=np.float64).reshape(-1)
    length = min(len(x), len(y))
    x, y = x[:length], y[:length]
    if length > 1 and not bool((x[1:] >= x[:-1]).all()):
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    left_out = 0
    if log:
        left_out = int(np.count_nonzero(y <= 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.log10(y)
    good = np.isfinite(x) & np.isfinite(y)
    joined = np.ones(length, dtype=np.bool_)
    if not bool(good.all()):
        joined[1:] = good[:-1]
        x, y, joined = x[good], y[good], joined[good]
    joined[:1] = False
    return Line(x, y, joined, left_out)


def extent(lines: list[Line], x0: float | None = None, x1: float | None = None) -> View | None:
    """The view that holds every point (between `x0` and `x1`, if given); None without points."""
    lines = [line for line in lines if len(line)]
    if not lines:
        return None
    left = min(float(line.x[0]) for line in lines) if x0 is None else x0
    right = max(float(line.x[-1]) for line in lines) if x1 is None else x1
    lows, highs = [], []
    for line in lines:
        first, last = np.searchsorted(line.x, left, "left"), np.searchsorted(line.x, right, "right")
        # One neighbour on each side: a line that crosses the view is seen though no point lies in it.
        part = line.y[max(0, first - 1) : last + 1]
        if len(part):
            lows.append(float(part.min()))
            highs.append(float(part.max()))
    low, high = (min(lows), max(highs)) if lows else (0.0, 1.0)
    return View(*_apart(left, right), *_apart(low, high))


def _apart(low: float, high: float) -> tuple[float, float]:
    if high > low and np.isfinite(high - low):
        return low, high
    if high > low:  # the difference overflows: stay inside what a float can hold
        return max(low, -8e307), min(high, 8e307)
    margin = abs(low) * 0.1 or 0.5
    return max(low - margin, -_LARGEST), min(high + margin, _LARGEST)


def envelope(line: Line, x0: float, x1: float, columns: int) -> tuple[Floats, Floats]:
    """The lowest and the highest value of the drawn line within each column; NaN where it does not pass."""
    low = np.full(columns, np.nan)
    high = np.full(columns, np.nan)
    if not len(line) or columns < 1:
        return low, high
    edges = _edges(x0, x1, columns)
    first, filled, end = _columns(line, edges)
    if filled.any():
        starts = first[:-1][filled]
        low[filled] = np.minimum.reduceat(line.y[:end], starts)
        high[filled] = np.maximum.reduceat(line.y[:end], starts)
    crossing = _crossings(line, edges, first)
    for side in (crossing[:-1], crossing[1:]):
        np.fmin(low, side, out=low)
        np.fmax(high, side, out=high)
    return low, high


def upto(line: Line, x: float) -> Line:
    """The line as it was when it had come to `x`: views, nothing is copied."""
    end = int(np.searchsorted(line.x, x, "right"))
    return line if end == len(line) else Line(line.x[:end], line.y[:end], line.joined[:end], line.left_out)


def _edges(x0: float, x1: float, columns: int) -> Floats:
    """The borders of the columns; unlike linspace it does not overflow at the end of what floats can hold."""
    share = np.arange(columns + 1) / columns
    edges: Floats = x0 * (1.0 - share) + x1 * share
    edges[0], edges[-1] = x0, x1
    return edges


def _columns(line: Line, edges: Floats) -> tuple[npt.NDArray[np.intp], Mask, int]:
    """The first point of each column (and one past the last), which columns hold points, where they end."""
    first = np.searchsorted(line.x, edges, "left")
    end = int(np.searchsorted(line.x, edges[-1], "right"))
    first[-1] = end
    return first, first[:-1] < first[1:], end


def _crossings(line: Line, edges: Floats, first: npt.NDArray[np.intp]) -> Floats:
    """Where the line crosses each edge between columns; NaN where it does not."""
    result = np.full(len(edges), np.nan)
    if len(line) < 2:
        return result
    after = np.clip(first, 1, len(line) - 1)
    before = after - 1
    span = line.x[after] - line.x[before]
    valid = (first > 0) & (first < len(line)) & line.joined[after] & (span > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.clip((edges - line.x[before]) / span, 0.0, 1.0)
        result[valid] = (line.y[before] * (1.0 - share) + line.y[after] * share)[valid]
    return result


def rows_of(values: Floats, view: View, rows: int) -> Floats:
    """The dot row of each value, 0 at the top; NaN stays NaN."""
    # A view may reach beyond the largest float, and the difference of its ends too: then in halves. Of the
    # smallest float a half is 0.
    low, high = max(view.y0, -_LARGEST), min(view.y1, _LARGEST)
    scale = 0.5 if max(abs(low), abs(high)) > 1.0 else 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # what lies that far outside is cut off below
        share = (values * scale - low * scale) / (high * scale - low * scale)
    return np.asarray(np.clip(np.rint((1.0 - share) * (rows - 1)), -1, rows))


def dots(low: Floats, high: Floats, view: View, rows: int) -> Mask:
    """A mask of `rows` by columns with a dot wherever the envelope passes."""
    drawn = ~np.isnan(low)
    top = np.where(drawn, rows_of(high, view, rows), rows + 1)
    bottom = np.where(drawn, rows_of(low, view, rows), -2)
    row = np.arange(rows)[:, None]
    return np.asarray((row >= top) & (row <= bottom))


def pack(mask: Mask) -> Cells:
    """Dots as the low byte of braille characters, two by four dots a cell."""
    rows, columns = mask.shape
    padded = np.pad(mask, ((0, -rows % DOTS_Y), (0, -columns % DOTS_X)))
    blocks = padded.reshape(padded.shape[0] // DOTS_Y, DOTS_Y, padded.shape[1] // DOTS_X, DOTS_X)
    weighted = blocks * _WEIGHTS[None, :, None, :]
    return np.asarray(weighted.sum(axis=(1, 3), dtype=np.uint8))


def texts(cells: Cells) -> list[str]:
    """Each row of cells as a string; a cell without a dot is a space."""
    points = np.where(cells == 0, 0x20, cells.astype(np.uint32) + 0x2800)
    points = np.ascontiguousarray(points, dtype="<u4")
    width = points.shape[1]
    return [str(row.view(f"<U{width}")[0]) for row in points] if width else [""] * len(points)
