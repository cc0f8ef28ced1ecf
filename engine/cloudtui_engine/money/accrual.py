"""How cost accrues: from moments at which a machine was known to be there, to intervals that are paid for.

An interval says for how long something (the machine, its disks) is paid for, at which rate, and on what
ground. Between two moments at which it was there it was there: so an engine that was killed, or a laptop
that slept for a week, loses nothing: the next proof accounts for the gap, and says that it is an estimate.
After the last proof nothing is assumed. Intervals of one thing never overlap, and none is ever made shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloudtui_engine.money.amounts import over

MACHINE, DISK = "machine", "disk"
OBSERVED, ESTIMATED = "observed", "estimated"
GAP_MS = 5 * 60_000
"""Two proofs that are further apart than this prove both ends; what is between them is an estimate."""
UNPAID = frozenset({"terminated", "vanished"})
"""What the cloud says of machines that cost nothing any more."""
OVERTIME_MS = 10 * 60_000
"""So long after its deadline a machine that is found ended may have been paid for."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Something was paid for, from one moment to another."""

    what: str
    """`machine` or `disk`."""
    started_ms: int
    ended_ms: int
    rate: int
    """Micro-dollars an hour."""
    ground: str = OBSERVED
    is_open: bool = True
    """At its end it was still paid for. Only the newest interval of a thing can be open."""

    def cost(self, from_ms: int | None = None, to_ms: int | None = None) -> int:
        """Micro-dollars of the part between two moments; the parts of a whole come to the whole, exactly."""
        first = self.started_ms if from_ms is None else max(from_ms, self.started_ms)
        last = self.ended_ms if to_ms is None else min(to_ms, self.ended_ms)
        if last <= first:
            return 0
        return over(self.rate, self.started_ms, last) - over(self.rate, self.started_ms, first)


@dataclass(frozen=True, slots=True)
class Seen:
    """A moment at which something is known of a machine."""

    at_ms: int
    rates: Mapping[str, int]
    """What is paid for from now on, in micro-dollars an hour; empty: nothing."""
    since_ms: int | None = None
    """When it began to run, by the cloud's word, where it was not known to run before."""
    ended_by_ms: int | None = None
    """By when it must have ended if it has: its deadline."""
    was: Mapping[str, int] = field(default_factory=dict)
    """What was paid for before, where it is known to have been there and nothing was ever accounted for."""


def owed(state: str | None, machine: int | None, disk: int = 0) -> dict[str, int]:
    """What is paid for in a state of the cloud.

    What may be paid for counts: clouds differ in whether they bill a machine that starts or stops, and a
    bill that is a minute lower than what is told here hurts nobody.

    Args:
        state: the cloud's word; None: the user's own machine, which has no such state.
        machine: micro-dollars an hour; None: not known, or free.
        disk: of its disks.
    """
    if state in UNPAID:
        return {}
    rates = {DISK: disk} if disk else {}
    if state != "stopped" and machine:
        rates[MACHINE] = machine
    return rates


def accrue(last: Interval | None, what: str, seen: Seen) -> list[Interval]:
    """The intervals that a moment adds or changes.

    Args:
        last: the newest interval of this thing, if there is one.
        what: the thing.
        seen: what is known now.

    Returns:
        Intervals to keep, by their beginning: one with the beginning of `last` takes its place.
    """
    rate = seen.rates.get(what)
    kept: list[Interval] = []
    if last is not None and last.is_open:
        covered = _covered(last, seen, ended=rate is None)
        goes_on = rate == covered[-1].rate
        kept = [*covered[:-1], replace(covered[-1], is_open=goes_on)]
        if goes_on or rate is None:
            return _changed(kept, last)
        first = covered[-1].ended_ms
    elif rate is None:
        return [] if last is not None else _unseen(what, seen)
    else:
        first = _beginning(last, seen)
    kept.append(Interval(what, first, max(first, seen.at_ms), rate))
    return _changed(kept, last)


def _covered(last: Interval, seen: Seen, *, ended: bool) -> list[Interval]:
    """The open interval up to now; what no proof was near to is an interval of its own, an estimate."""
    to_ms = seen.at_ms
    if ended and seen.ended_by_ms is not None:
        to_ms = min(to_ms, max(last.ended_ms, seen.ended_by_ms + OVERTIME_MS))
    if to_ms <= last.ended_ms:
        return [last]
    ground = OBSERVED if seen.at_ms - last.ended_ms <= GAP_MS else ESTIMATED
    if ground == last.ground:
        return [replace(last, ended_ms=to_ms)]
    more = Interval(last.what, last.ended_ms, to_ms, last.rate, ground)
    if last.ended_ms == last.started_ms:  # nothing was paid for yet: no need to keep it apart
        return [more]
    return [replace(last, is_open=False), more]


def _unseen(what: str, seen: Seen) -> list[Interval]:
    """It came and went, or was stopped, while nobody kept the books: an estimate, from its order on."""
    rate = seen.was.get(what)
    if rate is None or seen.since_ms is None:
        return []
    to_ms = seen.at_ms if seen.ended_by_ms is None else min(seen.at_ms, seen.ended_by_ms + OVERTIME_MS)
    if to_ms <= seen.since_ms:
        return []
    return [Interval(what, seen.since_ms, to_ms, rate, ESTIMATED, is_open=False)]


def _beginning(last: Interval | None, seen: Seen) -> int:
    """When something began to be paid for that was not before: by the cloud's word, where that can be."""
    floor = last.ended_ms if last is not None else None
    first = seen.at_ms if seen.since_ms is None else min(seen.since_ms, seen.at_ms)
    return first if floor is None else max(first, floor)


def _changed(kept: Sequence[Interval], last: Interval | None) -> list[Interval]:
    return [one for one in kept if one != last]
