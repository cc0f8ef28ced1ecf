"""The detail beside a list follows its cursor, but not while that moves: what is passed by is not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.timer import Timer
from textual.widget import Widget

from cloudtui.areas.parts import Detail

SETTLE_S = 0.12
"""How long the cursor rests on a row before its detail is read."""


class Following:
    """Shows in a detail, where that is seen, the record that `at_cursor` tells of."""

    def __init__(self, owner: Widget, detail: Detail, at_cursor: Callable[[], Any]) -> None:
        self._owner = owner
        self._detail = detail
        self._at_cursor = at_cursor
        self._settle: Timer | None = None

    @property
    def waiting(self) -> bool:
        """The cursor moved, and its row's detail has not been asked for yet."""
        return self._settle is not None

    def moved(self) -> None:
        """The cursor is on another row: shown once it rests there."""
        if self._settle is not None:
            self._settle.stop()
        self._settle = self._owner.set_timer(SETTLE_S, self.show)

    def read(self) -> None:
        """The list was read again, and what is under its cursor may be new."""
        if self._settle is None:
            # The list is seen first: a detail may bring charts, and those bring numpy.
            self._owner.call_after_refresh(self.show)

    def show(self) -> None:
        """Show it now."""
        self._settle = None
        if self._detail.display:
            self._detail.show(self._at_cursor())
