"""What a run costs: its share of the machines it ran on, while it ran. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from cloudtui_engine.money.accrual import Interval

FOREVER = 2**62


class Stay(NamedTuple):
    """A run on a machine, from when it began there until its end."""

    run: int
    started_ms: int
    ended_ms: int = FOREVER


def share(run: int, stays: Sequence[Stay], intervals: Sequence[Interval]) -> int:
    """Micro-dollars of one machine that fall to a run.

    What several runs use at the same time is divided between them equally, and all shares come to the whole
    to the micro-dollar: what cannot be divided goes to those that were made first.

    Args:
        run: whose share.
        stays: all stays on the machine that overlap those of the run, its own included.
        intervals: what was paid for the machine then.
    """
    own = [stay for stay in stays if stay.run == run]
    cuts = sorted({moment for stay in stays for moment in stay[1:]})
    total = 0
    for first, last in pairwise(cuts):
        if not any(stay.started_ms <= first and last <= stay.ended_ms for stay in own):
            continue
        there = sorted({stay.run for stay in stays if stay.started_ms <= first and last <= stay.ended_ms})
        place = there.index(run)
        for interval in intervals:
            whole, rest = divmod(interval.cost(first, last), len(there))
            total += whole + (place < rest)
    return total
