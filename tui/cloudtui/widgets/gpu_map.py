"""What GPUs did over the last hour: a row a GPU, a cell a minute, its shade how much of it was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType

from cloudtui.widgets.columns import fitted
from cloudtui.widgets.lines import Lines, Runs

MINUTES = 60
_SHADES = ((0.05, "·"), (0.25, "░"), (0.5, "▒"), (0.75, "▓"))
_LABEL, _VALUE = 18, 8
_HINT = "· <5%  ░ <25  ▒ <50  ▓ <75  █"


class GpuRow(NamedTuple):
    """One GPU: how it is called, and what it did by the minute, from 0 to 1."""

    label: str
    used: Mapping[int, float]
    """By the minute since the epoch: how much of it computed."""
    memory: Mapping[int, float]
    """How much of its memory was taken."""
    now: tuple[str, str] = ("", "")
    """What it does now: utilization, memory."""


def shade(share: float | None) -> str:
    """A share as a shade; nothing where nobody looked."""
    if share is None:
        return " "
    return next((mark for below, mark in _SHADES if share < below), "█")


def draw(rows: Sequence[GpuRow], newest: int, width: int, *, memory: bool) -> list[list[tuple[str, str]]]:
    """A title, a line a GPU and the time below, for the minutes up to `newest`."""
    room = max(1, width - _LABEL - _VALUE - 3)
    cell = max(1, room // MINUTES)
    shown = min(MINUTES, room // cell)
    minutes = range(newest - shown + 1, newest + 1)
    what = "Memory" if memory else "Utilization"
    title = f" {what} by the minute, last {'hour' if shown == MINUTES else f'{shown} min'}"
    gap = max(2, width - len(title) - len(_HINT) - 1)
    lines: list[list[tuple[str, str]]] = [[(title, "bold"), (" " * gap, ""), (_HINT, "muted")]]
    for row in rows:
        values = row.memory if memory else row.used
        text = "".join(shade(values.get(minute)) * cell for minute in minutes)
        said = row.now[1 if memory else 0]
        lines.append(
            [(f" {fitted(row.label, _LABEL, 'left')} ", ""), (text, "accent"), (said.rjust(_VALUE), "")]
        )
    return [*lines, [(" " * (_LABEL + 2) + _times(shown, cell), "muted")]]


def _times(shown: int, cell: int) -> str:
    """Every quarter of an hour, and now."""
    line = [" "] * (shown * cell)
    for ago in range(15, shown + 1, 15):
        text = f"-{ago}m"
        left = (shown - ago) * cell
        line[left : left + len(text)] = text
    line[-3:] = "now"
    return "".join(line)


class GpuMap(Lines, can_focus=True):
    """Draws `GpuRow`s."""

    DEFAULT_CSS = "GpuMap { height: auto; max-height: 60%; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "turn", "Utilization or memory", show=False)]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("m", "memory or use"), ("esc", "list"))

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[GpuRow, ...] = ()
        self.newest = 0
        self.memory = False

    def show(self, rows: Sequence[GpuRow], newest: int) -> None:
        """Draw these, up to this minute."""
        if (tuple(rows), newest) != (self.rows, self.newest):
            more = len(rows) != len(self.rows)
            self.rows, self.newest = tuple(rows), newest
            self.refresh(layout=more)

    def get_content_height(self, *_sizes: object) -> int:
        """The title, a line a GPU, the time."""
        return len(self.rows) + 2

    def runs(self, y: int) -> Runs:
        """A line of it."""
        lines = draw(self.rows, self.newest, self.size.width, memory=self.memory)
        return lines[y] if y < len(lines) else ()

    def action_turn(self) -> None:
        """Memory instead of utilization, or back."""
        self.memory = not self.memory
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click on the title does the same."""
        if event.y == 0:
            self.action_turn()
