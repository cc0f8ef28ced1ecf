"""The time, as the fleet sees it: one object, so that a test may let hours pass."""

from __future__ import annotations

import threading
import time

from cloudtui_providers import times

ERA_S = 60.0
_KEPT_S = 86_400.0


class Clock:
    """This machine's clock."""

    def __init__(self) -> None:
        self._first: dict[float, float] = {}
        """By the moment that was asked about: the steady second at which that was first done."""
        self._lock = threading.Lock()

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        """Let time pass, at most until `wake` is set; True where it is."""
        return wake.wait(seconds)

    def steady(self) -> float:
        """Seconds that nobody sets; they go on while the machine sleeps."""
        return times.steady()

    def passed(self, since: float) -> float:
        """Seconds since a moment of `now`, as far as this engine has seen them go by.

        A clock that is set forward lets no grace pass. What went by before this object was first asked about
        the moment does not count, for nobody knows whether the clock was set then.
        """
        now = self.steady()
        with self._lock:
            if since not in self._first:
                self._first = {one: at for one, at in self._first.items() if now - at < _KEPT_S}
            seen = now - self._first.setdefault(since, now)
        return min(self.now() - since, seen)

    def era(self) -> int:
        """Another number after the clock was set by a minute or more, or the machine restarted."""
        return round((self.now() - self.steady()) / ERA_S)
