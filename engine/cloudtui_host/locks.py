"""File locks, and the question whether this file system has them at all."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import Optional

from cloudtui_host.errors import HostError

_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_NONE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def _no_flock(path: str) -> HostError:
    return HostError(
        "no_flock",
        "The file system of %s has no working file locks, so nothing can keep one job from starting twice."
        % os.path.dirname(path),
        "Choose a root on a local disk, for instance --root /scratch/$USER.",
    )


def _take(descriptor: int, how: int, path: str) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno in _NONE:
            raise _no_flock(path) from None
        raise
    return True


def acquire(path: str, wait_s: float) -> Optional[int]:
    """A descriptor that holds the exclusive lock of `path`, or None when others held it for `wait_s`.

    Raises:
        HostError: code no_flock, this file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_s
    try:
        while not _take(descriptor, fcntl.LOCK_EX, path):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            # Those who only ask whether it is held take it for microseconds.
            time.sleep(0.01)
    except (OSError, HostError):
        os.close(descriptor)
        raise
    return descriptor


def held(path: str) -> bool:
    """Whether some process holds the exclusive lock of `path`. Asking never keeps a lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _take(descriptor, fcntl.LOCK_SH, path)
    finally:
        os.close(descriptor)


def prove(path: str) -> None:
    """See that a lock which is held on `path` shuts a second descriptor out.

    Raises:
        HostError: code no_flock, it does not: the lock is granted to everyone.
    """
    if not held(path):
        raise _no_flock(path)


def works_in(folder: str) -> bool:
    """Whether files in `folder` can be locked."""
    path = os.path.join(folder, ".flock-%d" % os.getpid())
    try:
        descriptor = acquire(path, 0.0)
        if descriptor is None:
            return False
        try:
            return held(path)
        finally:
            os.close(descriptor)
            os.unlink(path)
    except (OSError, HostError):
        return False
