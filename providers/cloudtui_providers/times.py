"""What time it is by each cloud: the Date of its newest answer, kept beside our own clocks of that moment.

So a clock of this machine that was set, or is wrong, is seen before it ends a machine. Every provider says
what it heard (`heard`); one that does not is taken at its machine's clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, and nobody sets it: Linux has a name of its own for that."""


@dataclass(frozen=True, slots=True)
class Told:
    """A cloud's clock and both of ours, at one moment."""

    at: float
    """The cloud's, Unix seconds."""
    wall: float
    """Ours, which may be set, Unix seconds."""
    steady: float
    """Ours, which nobody sets: `steady()`."""


_newest: dict[str, Told] = {}


def steady() -> float:
    """Seconds since some moment; a clock that is set and a machine that sleeps change nothing of it."""
    return time.clock_gettime(_STEADY)


def heard(provider: str, date: str | None) -> None:
    """A cloud has answered now, with this Date header; what cannot be read says nothing."""
    try:
        at = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return
    _newest[provider] = Told(at, time.time(), steady())


def told(provider: str) -> Told | None:
    """What a cloud said last in this process; None: nothing yet."""
    return _newest.get(provider)
