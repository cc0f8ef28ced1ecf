"""Files that come as one stream, into a folder that is put in place when all of them are right."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import stat
from typing import Any, Dict, List, NamedTuple, Set

from cloudtui_host import files, layout, locks
from cloudtui_host.errors import HostError

SPARE_BYTES = 16 << 20
_BLOCK = 4096
_SHA = re.compile(r"[0-9a-f]{64}")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Entry(NamedTuple):
    """A file of the manifest."""

    path: str
    size: int
    sha256: str
    mode: int


def _whole(path: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 60:
        raise HostError("bad_request", "The size and mode of %s must be whole numbers." % path)
    return value


def check_manifest(raw: Any) -> List[Entry]:
    """The files of a manifest.

    Raises:
        HostError: it holds something that is no file to be received, or one twice.
    """
    if not isinstance(raw, list) or not raw:
        raise HostError("bad_request", "files must be a list of {path, size, sha256, mode}.")
    entries = []
    seen: Set[str] = set()
    for one in raw:
        one = one if isinstance(one, dict) else {}
        path, sha = layout.relative(one.get("path"), "file"), one.get("sha256")
        size, mode = _whole(path, one.get("size")), _whole(path, one.get("mode", 0o644))
        if not isinstance(sha, str) or not _SHA.fullmatch(sha) or path in seen:
            raise HostError("bad_request", "%s has no sha256, or stands there twice." % path)
        seen.add(path)
        entries.append(Entry(path, size, sha, 0o700 if mode & 0o100 else 0o600))
    return entries


class Receipt:
    """A `put` under way. It owns a staging folder beside `dest` that outlives a cut.

    Args:
        root: the root on this host.
        dest: the folder to fill, relative to it.
        raw: the manifest.

    Raises:
        HostError: malformed arguments; busy (another session sends the same); disk_full.
    """

    def __init__(self, root: str, dest: Any, raw: Any) -> None:
        self.entries = check_manifest(raw)
        self.target = os.path.join(root, layout.content(dest))
        parent, name = os.path.split(self.target)
        self._parent = parent
        self._staging = os.path.join(parent, ".new-" + name)
        self.received = 0
        self._index = 0
        self._file = -1
        self._left = 0
        self._top = -1
        self._folders: Dict[str, int] = {}
        self._hash = hashlib.sha256()
        self._hashed: Dict[str, str] = {}
        self.present = os.path.isdir(self.target)
        self.offsets: Dict[str, int] = {entry.path: entry.size for entry in self.entries}
        os.makedirs(parent, mode=0o700, exist_ok=True)
        self.free_bytes = shutil.disk_usage(parent).free
        self._lock = -1
        if not self.present:
            self._stage()

    def _stage(self) -> None:
        lock = locks.acquire(self._staging + ".lock", 0.5)
        if lock is None:
            raise HostError(
                "busy", "Another session sends the same files to this host.", "It is tried again."
            )
        self._lock = lock
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._staging, 0o700)
            self._top = os.open(self._staging, _DIRECTORY)
            self._folders[""] = self._top
            sizes = self._look()
            self.offsets = {entry.path: sizes.get(entry.path, 0) for entry in self.entries}
            self._check_space()
            self._skip_complete()
        except (OSError, HostError):
            self.close()
            raise

    def _look(self) -> Dict[str, int]:
        """Sizes of what an earlier session left; what cannot be part of this is removed."""
        known = {entry.path: entry.size for entry in self.entries}
        found: Dict[str, int] = {}
        for folder, _, names, descriptor in os.fwalk(".", dir_fd=self._top, follow_symlinks=False):
            for name in names:
                path = os.path.normpath(os.path.join(folder, name))
                seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                regular = stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1
                if regular and seen.st_size <= known.get(path, -1):
                    found[path] = seen.st_size
                else:
                    os.unlink(name, dir_fd=descriptor)
        return found

    def _check_space(self) -> None:
        missing = sum(entry.size - self.offsets[entry.path] + _BLOCK for entry in self.entries)
        lacking = missing + SPARE_BYTES - self.free_bytes
        if lacking > 0:
            raise HostError(
                "disk_full",
                "The host has %.0f MiB free, and %.0f MiB more are needed."
                % (self.free_bytes / 2**20, lacking / 2**20),
                "Free some space there, or choose a root on another disk.",
            )

    @property
    def complete(self) -> bool:
        """Whether nothing is missing any more."""
        return self.present or self._index >= len(self.entries)

    def write(self, offset: int, chunk: memoryview) -> None:
        """Take the next bytes of the stream.

        Raises:
            HostError: they are not the next ones.
            OSError: they could not be written.
        """
        if offset != self.received:
            raise HostError("bad_request", "Bytes came out of order: %d, not %d." % (offset, self.received))
        while chunk:
            if self.complete:
                raise HostError("bad_request", "More bytes came than the files have.")
            if self._file < 0:
                self._open()
            part = chunk[: self._left]
            self._hash.update(part)
            files.write_all(self._file, part)  # type: ignore[arg-type]  # a view is written as bytes are
            self._left -= len(part)
            self.received += len(part)
            chunk = chunk[len(part) :]
            if not self._left:
                self._finish_file()
                self._skip_complete()

    def _folder(self, path: str) -> int:
        """The descriptor of a folder below the staging folder, made where missing, through no link."""
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            parent = self._folder(above)
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            opened = os.open(name, _DIRECTORY, dir_fd=parent)
            if len(self._folders) > 256:
                self._forget_folders()
            self._folders[path] = opened
        return self._folders[path]

    def _forget_folders(self) -> None:
        for path in [path for path in self._folders if path]:
            os.close(self._folders.pop(path))

    def _open(self) -> None:
        """Open the current file at the end of what is there of it."""
        entry = self.entries[self._index]
        offset = self.offsets[entry.path]
        above, _, name = entry.path.rpartition("/")
        self._hash = hashlib.sha256()
        flags = os.O_NOFOLLOW | os.O_CLOEXEC
        flags |= os.O_RDWR if offset else os.O_WRONLY | os.O_CREAT
        folder = self._folder(above)
        if not offset:
            # What stands there is an empty file of an earlier session, or a thing not to be written through.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            flags |= os.O_EXCL
        self._file = os.open(name, flags, entry.mode, dir_fd=folder)
        left = offset
        while left:
            before = os.read(self._file, min(1 << 20, left))
            if not before:
                raise HostError("changed", "%s became shorter while it was received." % entry.path)
            self._hash.update(before)
            left -= len(before)
        if offset:
            os.fchmod(self._file, entry.mode)
        self._left = entry.size - offset

    def _finish_file(self) -> None:
        self._hashed[self.entries[self._index].path] = self._hash.hexdigest()
        os.close(self._file)
        self._file = -1
        self._index += 1

    def _skip_complete(self) -> None:
        """Go on to the next file that lacks bytes; empty ones are made on the way."""
        while self._index < len(self.entries):
            entry = self.entries[self._index]
            if self.offsets[entry.path] < entry.size:
                return
            if entry.size == 0:
                self._open()
                self._finish_file()
            else:
                self._index += 1

    def commit(self) -> None:
        """See that every file is right, make all durable, and put the folder in place.

        Raises:
            HostError: incomplete; sha_mismatch, after which the wrong files are gone and can be sent again.
        """
        if self.present:
            return
        if not self.complete:
            raise HostError("incomplete", "Not all bytes have come.", "Send the rest.")
        wrong = [entry for entry in self.entries if self._sha_of(entry) != entry.sha256]
        for entry in wrong:
            above, _, name = entry.path.rpartition("/")
            os.unlink(name, dir_fd=self._folder(above))
        if wrong:
            raise HostError(
                "sha_mismatch",
                "%d file(s) arrived different from what was sent, first %s." % (len(wrong), wrong[0].path),
                "Send them again.",
            )
        self._sync()
        try:
            os.rename(self._staging, self.target)
        except OSError:
            if not os.path.isdir(self.target):
                raise
        files.sync_folder(self._parent)
        with contextlib.suppress(OSError):
            os.unlink(self._staging + ".lock")

    def _sha_of(self, entry: Entry) -> str:
        if entry.path not in self._hashed:
            above, _, name = entry.path.rpartition("/")
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder(above))
            digest = hashlib.sha256()
            with open(descriptor, "rb", buffering=0) as handle:
                for chunk in iter(lambda: handle.read(1 << 20), b""):
                    digest.update(chunk)
            os.chmod(name, entry.mode, dir_fd=self._folder(above))
            self._hashed[entry.path] = digest.hexdigest()
        return self._hashed[entry.path]

    def _sync(self) -> None:
        """Make everything durable: one call for all files where the system has it."""
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(self._top) == 0:
                return
        except (OSError, AttributeError):
            pass
        for _, _, names, descriptor in os.fwalk(".", dir_fd=self._top, follow_symlinks=False):
            for name in names:
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
                os.fsync(opened)
                os.close(opened)
            os.fsync(descriptor)

    def close(self) -> None:
        """Let go; what was received stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._forget_folders()
        self._folders.clear()
        if self._top >= 0:
            os.close(self._top)
            self._top = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
