"""Memory of a process with hundreds of threads that mostly wait."""

from __future__ import annotations

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h."""
_LARGE = 128 * 1024
"""glibc's own first threshold, which it raises by itself once a larger block was freed."""


def spare_memory() -> None:
    """Have all threads allocate from one place, and what is freed go back to the machine.

    glibc gives threads arenas of their own, so that they need not wait for each other; those of Python mostly
    wait for each other anyway. And it keeps ever more of what was freed, as hundreds of connections that are
    made at once leave it behind. Without glibc nothing happens. It is no variable of the environment,
    for jobs on this machine would get it, too.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)
