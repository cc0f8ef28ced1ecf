"""The wish to stop: the first signal sets a flag that the loop reads, the second ends the process at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

_Handler = Callable[[int, FrameType | None], Any] | int | None
STOPPED = 75
"""Exit status of a run that was stopped and left a checkpoint."""


class Stopped(Exception):  # noqa: N818 - not an error
    """The wish to stop was seen; what was being made is given up."""


class Stop:
    """A flag that SIGTERM and SIGINT set, while it is entered."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, _Handler] = {}

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.requested:
            os._exit(128 + number)
        self.requested = True

    def heed(self) -> None:
        """Go on, unless it is wished to stop.

        Raises:
            Stopped: it is.
        """
        if self.requested:
            raise Stopped

    def __enter__(self) -> Stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
