"""Hears of changed files the moment they change (inotify), with no dependency."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Set

_MODIFY = 0x00000002
_ATTRIB = 0x00000004
_CLOSE_WRITE = 0x00000008
_MOVED_FROM = 0x00000040
_MOVED_TO = 0x00000080
_CREATE = 0x00000100
_DELETE_SELF = 0x00000400
_MOVE_SELF = 0x00000800
_EVENT = struct.Struct("iIII")

FILE = _MODIFY | _ATTRIB | _DELETE_SELF | _MOVE_SELF
FOLDER = _CREATE | _MOVED_TO | _MOVED_FROM | _CLOSE_WRITE


class Watcher:
    """Watches files and folders. Where there is no inotify, `descriptor` is -1 and nothing is heard."""

    def __init__(self) -> None:
        self.descriptor = -1
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self.descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            return

    def add(self, path: str, mask: int) -> int:
        """Watch `path`; returns the number that `changed` will give, or -1 where it cannot be watched."""
        if self.descriptor < 0:
            return -1
        number: int = self._libc.inotify_add_watch(self.descriptor, os.fsencode(path), mask)
        return number

    def remove(self, number: int) -> None:
        """Watch no more; a number that is gone already is fine."""
        if self.descriptor >= 0 and number >= 0:
            self._libc.inotify_rm_watch(self.descriptor, number)

    def changed(self) -> Set[int]:
        """The numbers of all that changed since the last call; -1 among them when some changes were lost."""
        found: Set[int] = set()
        while self.descriptor >= 0:
            try:
                events = os.read(self.descriptor, 65536)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EINTR):
                    break
                raise
            position = 0
            while position < len(events):
                number, _mask, _cookie, length = _EVENT.unpack_from(events, position)
                found.add(number)
                position += _EVENT.size + length
        return found

    def close(self) -> None:
        """Stop watching."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
