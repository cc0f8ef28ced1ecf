"""How sure a measured number is: 95% intervals."""

from __future__ import annotations

import math

from cloudtui_features.resampling import bootstrap

__all__ = ["bootstrap", "wilson"]
_Z = 1.959963984540054


def wilson(right: int, n: int) -> list[float]:
    """The score interval of a share."""
    if not n:
        return [0.0, 1.0]
    share = right / n
    middle = share + _Z**2 / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    low = (middle - reach) / scale if right else 0.0  # rounding would put the end beside the share itself
    high = (middle + reach) / scale if right < n else 1.0
    return [low, high]
