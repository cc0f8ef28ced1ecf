"""When a job printed what: how long its console was at which moment, marked seldom and cheaply.

A process writes to its console without us, so its lines bear no times. The guard looks at the file's length
instead, and a mark in the system journal says what it was: all that lies before a mark and behind the one
before it was printed between the two looks.
"""

from __future__ import annotations

import os
import time
from typing import Optional

from cloudtui_host import layout

EVERY_S = 0.9
"""Marks of a console that grows are so far apart at least: a little less than the guard's looks, so that
none of those is passed over for a millisecond."""
SHARE = 36_000
"""And so long a share of the time since the first look: ten hours are marked to the second, a month has no
more than 200,000 marks."""


class Console:
    """The console of one attempt, looked at now and then."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, layout.SOURCES["console"])
        self._begun = time.monotonic()
        self._marked_at = float("-inf")
        self._size = 0

    def grown(self, last: bool = False) -> Optional[int]:
        """Its length where that is to be marked now; with `last` it is, if it is news at all."""
        now = time.monotonic()
        if not last and now - self._marked_at < max(EVERY_S, (now - self._begun) / SHARE):
            return None
        try:
            size = os.stat(self._path).st_size
        except OSError:
            return None
        if size <= self._size:
            return None
        self._size, self._marked_at = size, now
        return size
