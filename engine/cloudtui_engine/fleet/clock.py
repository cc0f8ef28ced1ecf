"""The time, as the fleet sees it: one object, so that a test may let hours pass."""

from __future__ import annotations

import threading
import time


class Clock:
    """This machine's clock."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        """Let time pass, at most until `wake` is set; True where it is."""
        return wake.wait(seconds)
