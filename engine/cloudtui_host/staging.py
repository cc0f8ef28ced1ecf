"""The folder beside its destination in which a `put` gathers its files; it outlives a cut."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import stat
from typing import Any, Dict, NamedTuple

from cloudtui_host import files, locks
from cloudtui_host.errors import HostError
from cloudtui_host.manifest import Entry

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDERS_KEPT = 256
_SYNC_FILE_RANGE_WRITE = 2


class Opened(NamedTuple):
    """A file that waits for its missing bytes."""

    descriptor: int
    hash: Any
    """sha256 of what is there of it."""


class Staging:
    """The folder, held by this session alone.

    Used by one thread at a time: nothing in here is locked.

    Args:
        target: where it is to be put in the end; the folder around it exists.

    Raises:
        HostError: busy, another session gathers the same.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._parent, name = os.path.split(target)
        self._path = os.path.join(self._parent, ".new-" + name)
        self._folders: Dict[str, int] = {}
        self._top = -1
        lock = locks.acquire(self._path + ".lock", 0.5)
        if lock is None:
            raise HostError(
                "busy", "Another session sends the same files to this host.", "It is tried again."
            )
        self._lock = lock
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._path, 0o700)
            self._top = os.open(self._path, _DIRECTORY)
        except OSError:
            self.close()
            raise

    def sizes(self) -> Dict[str, int]:
        """Sizes of what an earlier session left, by path; what is no file of ours is removed."""
        found: Dict[str, int] = {}
        for folder, _, names, descriptor in os.fwalk(".", dir_fd=self._top, follow_symlinks=False):
            for name in names:
                seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1:
                    found[os.path.normpath(os.path.join(folder, name))] = seen.st_size
                else:
                    os.unlink(name, dir_fd=descriptor)
        return found

    def _folder(self, path: str) -> int:
        """The descriptor of the folder of a file, made where missing, through no link."""
        path = path.rpartition("/")[0]
        if not path:
            return self._top
        if path not in self._folders:
            parent, name = self._folder(path), path.rpartition("/")[2]
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            opened = os.open(name, _DIRECTORY, dir_fd=parent)
            if len(self._folders) >= _FOLDERS_KEPT:
                self._forget_folders()
            self._folders[path] = opened
        return self._folders[path]

    def _forget_folders(self) -> None:
        while self._folders:
            os.close(self._folders.popitem()[1])

    def open(self, entry: Entry, offset: int) -> Opened:
        """A file of the manifest, at the end of its first `offset` bytes, which are there."""
        folder, name = self._folder(entry.path), os.path.basename(entry.path)
        if not offset:
            return Opened(self._create(folder, name, entry.mode), hashlib.sha256())
        descriptor = os.open(name, os.O_RDWR | _FILE, dir_fd=folder)
        try:
            os.fchmod(descriptor, entry.mode)
            return Opened(descriptor, _hash_of(descriptor, offset, entry.path))
        except (OSError, HostError):
            os.close(descriptor)
            raise

    def _create(self, folder: int, name: str, mode: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
        try:
            return os.open(name, flags, mode, dir_fd=folder)
        except FileExistsError:
            # An empty file of an earlier session, or a thing not to be written through.
            os.unlink(name, dir_fd=folder)
            return os.open(name, flags, mode, dir_fd=folder)

    def sha256(self, entry: Entry) -> str:
        """The sha256 of a file that an earlier session completed."""
        folder, name = self._folder(entry.path), os.path.basename(entry.path)
        descriptor = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
        try:
            os.fchmod(descriptor, entry.mode)
            digest: str = _hash_of(descriptor, entry.size, entry.path).hexdigest()
            return digest
        finally:
            os.close(descriptor)

    def remove(self, path: str) -> None:
        """Remove a file."""
        os.unlink(os.path.basename(path), dir_fd=self._folder(path))

    def put_in_place(self) -> None:
        """Make everything durable, then give the folder its name."""
        self._sync()
        try:
            os.rename(self._path, self._target)
        except OSError:
            if not os.path.isdir(self._target):
                raise
        files.sync_folder(self._parent)
        with contextlib.suppress(OSError):
            os.unlink(self._path + ".lock")

    def write_back(self, descriptor: int) -> None:
        """Have the system begin to write a file to its disk, so that less is left to wait for in the end."""
        with contextlib.suppress(OSError, AttributeError):
            call = ctypes.CDLL(None).sync_file_range
            call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
            call(descriptor, 0, 0, _SYNC_FILE_RANGE_WRITE)

    def _sync(self) -> None:
        """One call for all files where the system has it."""
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(self._top) == 0:
                return
        except (OSError, AttributeError):
            pass
        for _, _, names, descriptor in os.fwalk(".", dir_fd=self._top, follow_symlinks=False):
            for name in names:
                opened = os.open(name, os.O_RDONLY | _FILE, dir_fd=descriptor)
                os.fsync(opened)
                os.close(opened)
            os.fsync(descriptor)

    def close(self) -> None:
        """Let go; what was received stays."""
        self._forget_folders()
        if self._top >= 0:
            os.close(self._top)
            self._top = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _hash_of(descriptor: int, size: int, path: str) -> Any:
    """sha256 of the next `size` bytes."""
    digest = hashlib.sha256()
    while size:
        content = os.read(descriptor, min(1 << 20, size))
        if not content:
            raise HostError("changed", "%s became shorter while it was received." % path)
        digest.update(content)
        size -= len(content)
    return digest
