"""A replay of a run: a moment that goes on faster than it did. Pure, and without numpy."""

from __future__ import annotations

SPEEDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SECONDS = 20.0
"""About so long a replay takes at the speed it begins with."""


class Replay:
    """Where a replay of what happened between two moments stands."""

    def __init__(self, begin: float, end: float, at: float | None = None) -> None:
        self.begin = begin
        self.end = end
        self.at = begin if at is None or not begin <= at < end else at
        self.playing = True
        wanted = (end - begin) / _SECONDS
        self._speed = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - wanted))

    @property
    def speed(self) -> int:
        """How many seconds of the run pass in one."""
        return SPEEDS[self._speed]

    def faster(self, by: int) -> None:
        """The next speed, or with -1 the one before."""
        self._speed = min(max(self._speed + by, 0), len(SPEEDS) - 1)

    def advance(self, seconds: float) -> None:
        """Go on by so much time of the clock on the wall; at the end it stands."""
        if self.playing:
            self.at = min(self.end, self.at + seconds * self.speed)
            self.playing = self.at < self.end

    def toggle(self) -> None:
        """Pause, or go on; from the end it begins anew."""
        if self.at >= self.end:
            self.at, self.playing = self.begin, True
        else:
            self.playing = not self.playing

    def go(self, at: float) -> None:
        """Stand at this moment."""
        self.at = min(self.end, max(self.begin, at))
