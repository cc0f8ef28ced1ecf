"""Pictures in a terminal: two pixels a cell, as upper half blocks. Import with the first picture: numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from cloudtui.theme import Paint
from cloudtui.widgets.columns import fitted
from cloudtui.widgets.lines import safe

_GAP = 2
_LEAST_ROWS = 4
"""In fewer nothing can be recognised: nothing is drawn."""
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Pixels (channels, height, width), a line below them, and the style of that line."""

    pixels: Any
    caption: str = ""
    style: str = "muted"


def fit(pixels: Any, columns: int, rows: int) -> Pixels:
    """As (height, width, 3) of at most `columns` by `rows` cells, its shape kept; no blur in small ones."""
    array = np.asarray(pixels)
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or 0 in array.shape or columns < 1 or rows < 1:
        return np.zeros((0, 0, 3), np.uint8)
    if array.dtype != np.uint8:
        array = np.clip(np.nan_to_num(array.astype(np.float64)), 0, 255).astype(np.uint8)
    colours = array[:3] if len(array) >= 3 else np.repeat(array[:1], 3, axis=0)
    height, width = colours.shape[1:]
    scale = min(columns / width, 2 * rows / height)
    scale = float(int(scale)) if scale >= 1 else scale
    high, wide = max(1, int(height * scale)), max(1, int(width * scale))
    found = _means(_means(colours.astype(np.float64), high, 1), wide, 2)
    return np.moveaxis(found, 0, 2).round().astype(np.uint8)


def _means(array: npt.NDArray[np.float64], size: int, axis: int) -> npt.NDArray[np.float64]:
    """The array with `size` entries along an axis: means of what falls together, copies where it grows."""
    length = array.shape[axis]
    if size >= length:
        grown: npt.NDArray[np.float64] = np.take(array, np.arange(size) * length // size, axis=axis)
        return grown
    starts = np.arange(size) * length // size
    counts = np.diff(np.append(starts, length))
    shape = [1, 1, 1]
    shape[axis] = size
    sums: npt.NDArray[np.float64] = np.add.reduceat(array, starts, axis=axis)
    return sums / counts.reshape(shape)


@lru_cache(maxsize=4096)
def _style(top: tuple[int, int, int], bottom: tuple[int, int, int] | None) -> Style:
    ground = Color.from_rgb(*bottom) if bottom is not None else None
    return Style(color=Color.from_rgb(*top), bgcolor=ground)


def half_blocks(pixels: Pixels) -> list[list[Segment]]:
    """Rows of cells; a picture of an odd height ends with half a cell."""
    rows: list[list[Segment]] = []
    for y in range(0, len(pixels), 2):
        upper, lower = pixels[y].tolist(), pixels[y + 1].tolist() if y + 1 < len(pixels) else None
        rows.append(
            [
                Segment("▀", _style(tuple(top), tuple(lower[x]) if lower else None))
                for x, top in enumerate(upper)
            ]
        )
    return rows


class Gallery(Widget):
    """Pictures beside and below each other, each over its caption."""

    DEFAULT_CSS = "Gallery { width: 1fr; height: 1fr; }"

    def __init__(self, *, most_rows: int = 24, id: str | None = None) -> None:
        super().__init__(id=id)
        self.paint = Paint(self)
        self._most_rows = most_rows
        self._pictures: tuple[Picture, ...] = ()
        self._drawn: tuple[tuple[int, int, int], list[Strip]] | None = None
        self._version = 0

    def show(self, pictures: Sequence[Picture]) -> None:
        """Draw these, as many as there is room for."""
        self._pictures = tuple(pictures)
        self._version += 1
        self.refresh()

    def notify_style_update(self) -> None:
        """Another style: draw with it."""
        self.paint.forget()
        self._drawn = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """A line of all pictures."""
        key = (self.size.width, self.size.height, self._version)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, self._draw(*self.size))
        lines = self._drawn[1]
        return lines[y] if y < len(lines) else Strip.blank(self.size.width, self.paint[""])

    def _draw(self, width: int, height: int) -> list[Strip]:
        rows = min(self._most_rows, height - 1)
        if rows < _LEAST_ROWS:
            return []
        blank = self.paint[""]
        found: list[Strip] = []
        line: list[tuple[list[list[Segment]], int, Picture]] = []
        used = 0
        for picture in (*self._pictures, None):
            cells = half_blocks(fit(picture.pixels, width - 1, rows)) if picture is not None else []
            wide = max(len(cells[0]) if cells else 0, min(cell_len(picture.caption), 18) if picture else 0)
            if line and (picture is None or used + wide + _GAP > width):
                tall = max(len(one) for one, _, _ in line) + 1
                if found and len(found) + tall > height:
                    break
                found += [self._line(line, y, width, blank) for y in range(tall)]
                line, used = [], 0
            if picture is not None:
                line.append((cells, wide, picture))
                used += wide + _GAP
        return found

    def _line(
        self,
        line: list[tuple[list[list[Segment]], int, Picture]],
        y: int,
        width: int,
        blank: Style,
    ) -> Strip:
        segments: list[Segment] = [Segment(" ", blank)]
        for cells, wide, picture in line:
            if y < len(cells):
                segments += cells[y]
                segments.append(Segment(" " * (wide - len(cells[y]) + _GAP), blank))
            elif y == len(cells):
                text = fitted(safe(picture.caption), wide, "left")
                segments.append(Segment(text + " " * _GAP, self.paint[picture.style]))
            else:
                segments.append(Segment(" " * (wide + _GAP), blank))
        return Strip(segments).adjust_cell_length(width, blank)
