"""Python's collector of cycles, kept out of the moments in which somebody waits for a paint.

A paint leaves hundreds of them behind (Textual's strips), so the collector as it comes runs within paints,
and each second or two looks at all there is, for 50 ms and more. Here it looks at what is new by itself,
between paints, and at all there is where nobody waits.
"""

from __future__ import annotations

import gc
from time import monotonic
from typing import Self

NEW_S = 0.5
"""Between two looks at what is new: some milliseconds each."""
REST_S = 1.0
"""Nobody has touched anything for so long: a pause of a tenth of a second is not seen."""
EVERY_S = 10.0
"""Between two looks at all there is; one takes longer the longer it was waited for."""
LATEST_S = 30.0
"""Somebody who never rests waits for one after so long."""


class Sweeper:
    """Collects when nobody waits, for as long as it is entered."""

    def __init__(self) -> None:
        self._swept = self._touched = monotonic()
        self._settled = False

    def __enter__(self) -> Self:
        gc.freeze()  # what is loaded by now stays: no collection need look at it
        gc.disable()
        return self

    def __exit__(self, *_exc: object) -> None:
        gc.unfreeze()
        gc.enable()

    def touched(self) -> None:
        """A key, or the mouse."""
        self._touched = monotonic()

    def look(self) -> int:
        """Sweep; says which generation of objects was the oldest that was looked at."""
        now = monotonic()
        rests = now - self._touched > REST_S
        oldest = 2 if now - self._swept > (EVERY_S if rests else LATEST_S) else 1
        gc.collect(oldest)
        if oldest == 2:
            self._swept = now
            if not self._settled:
                self._settled = True
                gc.freeze()  # the first screen and what it is made of stay, too
        return oldest
