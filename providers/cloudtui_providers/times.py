"""What time it is by each cloud: the Date of its newest answer, kept beside our own clocks of that moment.

So a clock of this machine that was set, or is wrong, is seen before it ends a machine. Every provider says
what it heard (`heard`); one that does not is taken at its machine's clock.

A Date may be wrong, too: of one server, or of a cache that says the same one for ever. So each answer bears
how long the dates have gone along with the clock that nobody sets.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, and nobody sets it: Linux has a name of its own for that."""
WITHIN_S = 20.0
"""Dates that go along with each other do so up to this: an answer may have been on its way for a while."""
SEVERAL = 3
LASTING_S = 150.0
"""Longer than a Date that stands still can be taken for one that goes on."""


@dataclass(frozen=True, slots=True)
class Told:
    """A cloud's clock and both of ours, at one moment."""

    at: float
    """The cloud's, Unix seconds."""
    wall: float
    """Ours, which may be set, Unix seconds."""
    steady: float
    """Ours, which nobody sets: `steady()`."""
    first: Told | None = None
    """The first of the answers, without a break, whose dates go along with this one; None: it is this."""
    number: int = 1
    """How many those are."""

    @property
    def is_several(self) -> bool:
        """It is more than one server's slip."""
        return self.number >= SEVERAL

    @property
    def is_agreed(self) -> bool:
        """Several answers say so, over some time in which their dates went on as the steady clock did."""
        return self.is_several and self.first is not None and self.steady - self.first.steady >= LASTING_S


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
    _newest[provider] = after(_newest.get(provider), Told(at, time.time(), steady()))


def after(before: Told | None, told: Told) -> Told:
    """An answer, with those before it that it goes along with."""
    if before is None:
        return told
    first = before.first or before
    # Held against the first of them: held against the last one, a clock that stands still would go along.
    if abs((told.at - first.at) - (told.steady - first.steady)) > WITHIN_S:
        return told
    return replace(told, first=first, number=before.number + 1)


def told(provider: str) -> Told | None:
    """What a cloud said last in this process; None: nothing yet."""
    return _newest.get(provider)
