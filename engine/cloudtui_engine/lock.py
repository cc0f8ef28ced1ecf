"""One engine a home: who holds `flock` on `engine.lock` is it. The kernel lets go when the holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Self

from cloudtui_engine.paths import Paths

GLANCE_S = 0.2
"""Who only looks whether it is held (`is_held`) holds it for a moment: that is waited out."""


class EngineLock:
    """The lock, held from a successful `acquire` until `release` or the end of the process."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.lock
        self._fd = -1

    def acquire(self) -> bool:
        """True when this process is the engine now; False when another one is."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + GLANCE_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(fd)
                    return False
                time.sleep(0.01)
            else:
                os.ftruncate(fd, 0)
                os.pwrite(fd, str(os.getpid()).encode(), 0)
                self._fd = fd
                return True

    def release(self) -> None:
        """Let another process become the engine."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.release()


def is_held(paths: Paths) -> bool:
    """Whether an engine holds the lock of this home now."""
    try:
        fd = os.open(paths.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def holder(paths: Paths) -> int | None:
    """The process that holds the lock; None where none does."""
    if not is_held(paths):
        return None
    text = paths.lock.read_text().strip()
    return int(text) if text.isdigit() else None
