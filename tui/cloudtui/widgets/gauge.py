"""A share of a whole as a bar."""

from __future__ import annotations

import math


def gauge(share: float | None, width: int = 10) -> tuple[str, str]:
    """The filled and the empty part of a bar; an unknown share is all empty."""
    if share is None or math.isnan(share):
        return "", "▁" * width
    filled = round(min(1.0, max(0.0, share)) * width)
    if share > 0 and filled == 0:
        filled = 1
    return "▇" * filled, "▁" * (width - filled)
