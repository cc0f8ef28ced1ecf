"""Memory of a process with hundreds of threads that mostly wait."""

from __future__ import annotations

import contextlib
import ctypes

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


def share_arenas() -> None:
    """Have all threads allocate from one place: what one has freed, another uses.

    glibc gives threads arenas of their own, so that they need not wait for each other; those of Python mostly
    wait for each other anyway. With 128 hosts it saves 27 KiB for each. Without glibc nothing happens.
    It is no variable of the environment, for jobs on this machine would get it, too.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
