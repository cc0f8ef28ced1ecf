"""When what of a log was printed. Pure, and without numpy: a log may be the first thing that is looked at."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class LogTimes:
    """How long a log was at which times; neither ever falls."""

    sizes: Sequence[float]
    times: Sequence[float]

    @classmethod
    def of(cls, sizes: Iterable[float], times: Iterable[float]) -> LogTimes | None:
        """What the marks of a host say; None where there are none.

        A host's clock may have been set back, and its word need not make sense: what was printed later was
        not printed earlier.
        """
        found = cls(list(accumulate(sizes, max)), list(accumulate(times, max)))
        return found if found.sizes else None

    def size_at(self, moment: float) -> int:
        """How many bytes had been printed by then; 0 before the first mark."""
        at = bisect_right(self.times, moment) - 1
        return int(self.sizes[at]) if at >= 0 else 0

    def moment_of(self, end: int) -> float:
        """When all before this byte had been printed; of what no mark covers yet: by the newest mark."""
        return self.times[min(bisect_left(self.sizes, end), len(self.times) - 1)]

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last moment."""
        return self.times[0], self.times[-1]
