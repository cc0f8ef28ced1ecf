"""One cursor through a run: places on an x axis as moments, and a replay that runs through them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clock:
    """Places on an x axis and the wall times when they were reached; both never fall."""

    x: Floats
    t: Floats

    @classmethod
    def of(cls, x: Any, times: Any) -> Clock | None:
        """The clock of a series; None where there is no point with a time."""
        places, seconds = np.asarray(x, dtype=np.float64), np.asarray(times, dtype=np.float64)
        good = np.isfinite(places) & np.isfinite(seconds)
        places, seconds = places[good], seconds[good]
        if not len(places):
            return None
        order = np.argsort(places, kind="stable")
        # A host's clock may have been set back: what was reached later was not earlier.
        return cls(places[order], np.maximum.accumulate(seconds[order]))

    def moment(self, x: float) -> float:
        """When this place was reached."""
        return float(np.interp(x, self.x, self.t))

    def place(self, moment: float) -> float | None:
        """The last place that was reached by then; None before the first."""
        at = int(np.searchsorted(self.t, moment, "right")) - 1
        return float(self.x[at]) if at >= 0 else None

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last moment."""
        return float(self.t[0]), float(self.t[-1])
