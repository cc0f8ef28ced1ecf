"""Horizontal bars with a name at the left and words at the right: a histogram, a balance, a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from cloudtui.widgets.columns import fitted
from cloudtui.widgets.lines import Lines, Runs

_PARTS = " ▏▎▍▌▋▊▉"


class Bar(NamedTuple):
    """A bar from 0 to 1, a mark somewhere on it, and what is said of it."""

    name: str
    share: float | None
    text: str = ""
    mark: float | None = None
    style: str = "accent"


class Bars(Lines):
    """A bar a line; names and texts have the width that the longest of them needs."""

    DEFAULT_CSS = "Bars { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._bars: tuple[Bar, ...] = ()

    def show(self, bars: Sequence[Bar]) -> None:
        """Draw these."""
        if tuple(bars) != self._bars:
            self._bars = tuple(bars)
            self.refresh(layout=True)

    def get_content_height(self, *_sizes: object) -> int:
        """A line a bar."""
        return len(self._bars)

    def runs(self, y: int) -> Runs:
        """A bar."""
        if y >= len(self._bars):
            return ()
        bar = self._bars[y]
        left = min(24, max(cell_len(one.name) for one in self._bars))
        right = max(cell_len(one.text) for one in self._bars)
        width = min(60, max(4, self.size.width - left - right - 5))
        return [
            (" " + fitted(bar.name, left, "right") + " ", "muted"),
            *drawn(bar, width),
            (" " + bar.text, ""),
        ]


def drawn(bar: Bar, width: int) -> list[tuple[str, str]]:
    """The bar in exactly `width` cells, to an eighth of a cell; its mark lies over it."""
    share = min(1.0, max(0.0, bar.share or 0.0))
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    text = "█" * (eighths // 8)
    if eighths % 8 and len(text) < width:
        text += _PARTS[eighths % 8]
    text = text.ljust(width)
    if bar.mark is None:
        return [(text, bar.style)]
    place = min(width - 1, max(0, round(bar.mark * width) - 1))
    return [(text[:place], bar.style), ("┃", "warn"), (text[place + 1 :], bar.style)]
