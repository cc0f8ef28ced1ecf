"""The learning rate as a pure function of how much is done."""

from __future__ import annotations

import math


def schedule(name: str, done: float) -> float:
    """The share of the highest rate after `done` (0 to 1) of all steps."""
    if name == "constant":
        return 1.0
    if name == "step":
        return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01
    warm = 0.3 if name == "one_cycle" else 0.0
    if done < warm:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * done / warm)) / 2
    return 1e-4 + (1 - 1e-4) * (1 + math.cos(math.pi * (done - warm) / (1 - warm))) / 2
