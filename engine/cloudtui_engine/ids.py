"""Identifiers that sort by time and may stand in a file name, an SSH job folder and a URL."""

from __future__ import annotations

import os
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
    # As `secrets` draws, whose import is OpenSSL's, too: 32 letters, so five bits of a byte are one.
    return "c" + stamp + "".join(_ALPHABET[byte & 31] for byte in os.urandom(_RANDOM))
