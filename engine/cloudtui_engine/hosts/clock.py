"""How far the clock of a host is from ours."""

from __future__ import annotations

import time
from collections import deque

_SAMPLES = 20


class HostClock:
    """The offset by the ping that was quickest lately: its answer was made nearest to its middle."""

    def __init__(self, host_now: float) -> None:
        # The hello's time came one way of unknown length ago: better than none until a ping is back.
        self._samples: deque[tuple[float, float]] = deque(
            [(float("inf"), time.time() - host_now)], maxlen=_SAMPLES
        )

    @property
    def offset(self) -> float:
        """Host clock + this = our clock."""
        return min(list(self._samples))[1]

    def add(self, sent_wall: float, sent_monotonic: float, host_now: float) -> None:
        """A ping that was sent then and answered now; a clock that was set shows once old ones are gone."""
        way = time.monotonic() - sent_monotonic
        self._samples.append((way, sent_wall + way / 2 - host_now))
