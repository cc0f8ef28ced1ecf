"""Identifiers that sort by time and may stand in a file name, an SSH job folder and a URL."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM = 7
_TIME = 8


def new_id(now: float | None = None) -> str:
    """Sixteen characters `[a-z0-9]`: a letter, the time in milliseconds, 35 random bits."""
    left = int((time.time() if now is None else now) * 1000)
    stamp = ""
    for _ in range(_TIME):
        left, digit = divmod(left, 32)
        stamp = _ALPHABET[digit] + stamp
    return "c" + stamp + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
