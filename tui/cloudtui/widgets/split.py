"""Two parts beside or above each other, and a border between them that the mouse or a key moves.

What is kept are shares, one for each way in which the parts can stand: a terminal of another size has the
same shares, and where there is room for one part only they wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

Way = Literal["beside", "above"]
LEAST: Mapping[Way, tuple[int, int]] = {"beside": (24, 32), "above": (6, 6)}
"""Cells that the first and the second part keep."""
_WHOLE = 1_000_000
"""What the two have together, in the style sheet's fractions."""


class Split(Container):
    """A first and a second part. Where they stand, and their shares without the user, the style sheet says.

    The border is where the second part begins: its first column or its first line. Posts `Moved` when the
    user has moved it.
    """

    class Moved(Message):
        """The border has come to rest elsewhere."""

        def __init__(self, split: Split) -> None:
            super().__init__()
            self.split = split

    def __init__(
        self, first: Widget, second: Widget, *, id: str | None = None, classes: str = ""
    ) -> None:  # fmt: skip
        super().__init__(id=id, classes=classes)
        self._first = first
        self._second = second
        self._shares: dict[Way, float] = {}
        self._applied: tuple[Way, float | None] | None = None
        self._grabbed = self._moving = False

    def compose(self) -> ComposeResult:
        """The two."""
        yield self._first
        yield self._second

    # Shares

    @property
    def shares(self) -> dict[Way, float]:
        """What of the whole the first part has, from 0 to 1, for each way that the user set it in."""
        return dict(self._shares)

    @shares.setter
    def shares(self, shares: Mapping[Way, float]) -> None:
        self._shares = {way: share for way, share in shares.items() if way in LEAST and 0.0 < share < 1.0}
        self._apply()

    @property
    def way(self) -> Way:
        """How the parts stand now."""
        return "beside" if self.layout.name == "horizontal" else "above"

    @property
    def has_border(self) -> bool:
        """Both parts are seen."""
        return self.is_attached and bool(self._first.region) and bool(self._second.region)

    def widen(self, cells: int) -> None:
        """Move the border by so many cells."""
        if self.has_border:
            first = self._first.outer_size
            self._move_to((first.width if self.way == "beside" else first.height) + cells)
            self.post_message(self.Moved(self))

    def reset(self) -> None:
        """As it is without the user, the way it stands now."""
        self._shares.pop(self.way, None)
        self._apply()
        self.post_message(self.Moved(self))

    def _move_to(self, cells: int) -> None:
        """Give the first part so many cells, but leave to each what it needs."""
        way = self.way
        whole = self.size.width if way == "beside" else self.size.height
        least, rest = LEAST[way]
        if whole >= least + rest:
            self._shares[way] = max(least, min(cells, whole - rest)) / whole
            self._apply()

    def _apply(self) -> None:
        way = self.way
        share = self._shares.get(way)
        if (way, share) == self._applied:
            return
        self._applied = (way, share)
        first = None if share is None else round(share * _WHOLE) + 1  # cells are rounded down
        for part, size in ((self._first, first), (self._second, None if first is None else _WHOLE - first)):
            fraction = None if size is None else f"{size}fr"
            part.styles.width = fraction if way == "beside" else None
            part.styles.height = fraction if way == "above" else None

    def on_mount(self) -> None:
        """Before they are laid out for the first time."""
        self._apply()

    def on_resize(self) -> None:
        """They may stand another way."""
        self._apply()

    # The mouse

    def _at_border(self, event: events.MouseEvent) -> bool:
        if not self.has_border:
            return False
        edge = self._second.region
        return event.screen_x == edge.x if self.way == "beside" else event.screen_y == edge.y

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the border."""
        self._grabbed = event.button == 1 and self._at_border(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move it; what was only a click stays one."""
        if not self._grabbed:
            return
        if not event.button:  # it was let go elsewhere
            self._let_go()
            return
        if not self._moving:
            self._moving = True
            self.capture_mouse()
            self.add_class("-moving")
        inside = event.screen_offset - self.region.offset
        self._move_to(inside.x if self.way == "beside" else inside.y)
        event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        if self._moving:
            event.stop()
            self.post_message(self.Moved(self))
        self._let_go()

    def _let_go(self) -> None:
        if self._moving:
            self.release_mouse()
            self.remove_class("-moving")
        self._grabbed = self._moving = False

    def on_click(self, event: events.Click) -> None:
        """Twice on the border: as it was."""
        if event.chain == 2 and event.button == 1 and self._at_border(event):
            event.stop()
            self.reset()
