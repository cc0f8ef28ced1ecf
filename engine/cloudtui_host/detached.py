"""What every detached process does first."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import List


def stand_alone(keep: List[int], log: str) -> None:
    """Let go of every descriptor of the session that started us; what goes wrong is written to `log`."""
    os.umask(0o077)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    except OSError:
        out = null
    os.dup2(out, 1)
    os.dup2(out, 2)
    keep_only(keep)


def keep_only(descriptors: List[int]) -> None:
    """Close all other descriptors above stderr."""
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number not in descriptors:
            with contextlib.suppress(OSError):
                os.close(number)


def default_signals() -> None:
    """Undo what Python or a parent did to signals, so that a job sees none of it."""
    for number in (
        signal.SIGPIPE,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGTERM,
        signal.SIGQUIT,
        signal.SIGUSR1,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
