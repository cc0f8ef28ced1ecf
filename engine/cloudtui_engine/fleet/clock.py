"""The time, as the fleet sees it: one object, so that a test may let hours pass."""

from __future__ import annotations

import threading
import time

from cloudtui_providers import times

ERA_S = 60.0


class Clock:
    """This machine's clock."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        """Let time pass, at most until `wake` is set; True where it is."""
        return wake.wait(seconds)

    def steady(self) -> float:
        """Seconds that nobody sets; they go on while the machine sleeps."""
        return times.steady()

    def era(self) -> int:
        """Another number after the clock was set by a minute or more, or the machine restarted."""
        return round((self.now() - self.steady()) / ERA_S)
