"""Where pulled files land: below one folder and nowhere else, whole and verified or not at all."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from cloudtui_engine.errors import BadInputError, FailedError

_PART = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")
_DEPTH_MOST = 16
_READ = 1024 * 1024
_BLOCK = 512 * 1024
"""Bytes that are hashed and written together."""
_PIECES = 512
"""Of a block at the most: one call writes no more than 1,024."""
_BLOCKS_WAITING = 8
_SYNC_EVERY = 16 * 1024 * 1024
"""Made durable on the way, or all of a large file would be waited for at its end."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
TEMPORARY = ".cloudtui-"


def checked_path(path: str) -> tuple[str, ...]:
    """The parts of a relative path that a host named.

    Raises:
        BadInputError: it leads elsewhere or holds what no file name should.
    """
    parts = tuple(path.split("/"))
    good = len(parts) <= _DEPTH_MOST and all(
        _PART.fullmatch(part) and part not in {".", ".."} and not part.startswith(TEMPORARY) for part in parts
    )
    if not good or not path.isprintable():
        raise BadInputError(
            f"The host names a file {path[:120]!r}, which is not accepted.", "Rename it there."
        )
    return parts


class Landing:
    """A folder that files arrive in; a context manager.

    What has come is hashed and written by a thread of its own, while more of it is received.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.writer = ThreadPoolExecutor(1, "landing")

    def __enter__(self) -> Landing:
        return self

    def __exit__(self, *exc: object) -> None:
        self.writer.shutdown()
        os.close(self.descriptor)

    def holds(self, path: str, size: int, sha256: str) -> bool:
        """Whether the file is there already, whole."""
        try:
            with self._folder_of(path, make=False) as folder:
                fd = os.open(
                    checked_path(path)[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder
                )
        except OSError:
            return False
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size != size:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def offset_of(self, path: str, size: int, sha256: str) -> int:
        """How many bytes an earlier, cut transfer left of a file."""
        try:
            found = os.stat(_temporary(path, sha256), dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) and found.st_size <= size else 0

    def arrive(self, path: str, size: int, sha256: str) -> Arrival:
        """Begin, or go on with, a file.

        Raises:
            FailedError: something stands in its way.
        """
        return Arrival(self, path, size, sha256)

    @contextlib.contextmanager
    def _folder_of(self, path: str, *, make: bool) -> Iterator[int]:
        """The descriptor of the folder that `path` lies in; no link is followed on the way."""
        folder = os.dup(self.descriptor)
        try:
            for part in checked_path(path)[:-1]:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o755, dir_fd=folder)
                inner = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def settle(self, temporary: str, path: str) -> None:
        """Give a complete file its name, durably.

        Raises:
            FailedError: something stands in its way, code in_the_way where that is a file or a folder.
        """
        try:
            with self._folder_of(path, make=True) as folder:
                os.rename(temporary, checked_path(path)[-1], src_dir_fd=self.descriptor, dst_dir_fd=folder)
                os.fsync(folder)
        except (NotADirectoryError, IsADirectoryError) as error:
            raise FailedError(
                f"{path} cannot be put here: one of its folders is a file, or a folder has its name.",
                "Rename one of the two on the host, or remove what stands here.",
                code="in_the_way",
            ) from error
        except OSError as error:
            raise FailedError(f"{path} cannot be put here: {error.strerror}.") from error


def _temporary(path: str, sha256: str) -> str:
    return TEMPORARY + hashlib.sha256(f"{sha256}\0{path}".encode()).hexdigest()[:32]


class Arrival:
    """One file on its way in: a temporary file that has its name once it is whole and what it should be."""

    def __init__(self, landing: Landing, path: str, size: int, sha256: str) -> None:
        checked_path(path)
        self.path, self.size, self._sha256 = path, size, sha256
        self._landing, self._writer, self._folder = landing, landing.writer, landing.descriptor
        self._block: list[bytes | memoryview] = []
        self._block_bytes = 0
        self._waiting: collections.deque[Future[None]] = collections.deque()
        self._broken = False
        self._unsynced = 0
        self._name = _temporary(path, sha256)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._fd = os.open(self._name, flags, 0o644, dir_fd=self._folder)
        except OSError as error:
            raise FailedError(
                f"{path} cannot be written here: {error.strerror}.", "Free some space."
            ) from error
        self._hash = hashlib.sha256()
        self.offset = self._resume()
        """How many bytes are here."""

    def _resume(self) -> int:
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise FailedError(
                f"Something else stands where {self.path} would arrive ({self._name}).", "Remove it."
            )
        have = os.fstat(self._fd).st_size
        if have > self.size:
            os.ftruncate(self._fd, 0)
            have = 0
        os.lseek(self._fd, 0, os.SEEK_SET)
        left = have
        while left:
            chunk = os.read(self._fd, min(left, _READ))
            self._hash.update(chunk)
            left -= len(chunk)
        return have

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self.size - self.offset

    def write(self, chunk: bytes | memoryview) -> None:
        """The next bytes, which stay as they are; never more than `missing`.

        Raises:
            FailedError: these, or some before them, could not be written.
        """
        self.offset += len(chunk)
        self._block.append(chunk)
        self._block_bytes += len(chunk)
        if self._block_bytes >= _BLOCK or len(self._block) >= _PIECES:
            self._hand_over()
            self._settle_blocks(_BLOCKS_WAITING)

    def _hand_over(self) -> None:
        self._waiting.append(self._writer.submit(self._store, self._block))
        self._block, self._block_bytes = [], 0

    def _settle_blocks(self, waiting: int) -> None:
        """Wait until no more than so many blocks wait to be written."""
        try:
            while len(self._waiting) > waiting:
                self._waiting.popleft().result()
        except OSError as error:
            raise FailedError(
                f"{self.path} cannot be written here: {error.strerror}.", "Free some space."
            ) from error

    def _store(self, block: list[bytes | memoryview]) -> None:
        """In the writer's thread; behind a block that could not be written nothing is."""
        if self._broken:
            return
        for chunk in block:
            self._hash.update(chunk)
        left = [memoryview(chunk) for chunk in block]
        try:
            while left:
                written = os.writev(self._fd, left[:_PIECES])
                while left and written >= len(left[0]):
                    written -= len(left.pop(0))
                if left:
                    left[0] = left[0][written:]
            self._unsynced += sum(map(len, block))
            if self._unsynced >= _SYNC_EVERY:
                self._unsynced = 0
                os.fdatasync(self._fd)
        except OSError:
            self._broken = True
            raise

    def finish(self) -> None:
        """All bytes are here: verify, make durable, name.

        Raises:
            FailedError: they are not what was promised; what came is dropped, and the next try begins anew.
        """
        self._hand_over()
        self._settle_blocks(0)
        if self._hash.hexdigest() != self._sha256:
            self.close()
            os.unlink(self._name, dir_fd=self._folder)
            raise FailedError(
                f"What arrived of {self.path} is not what the host promised.",
                "It changed there, or the transfer was damaged. Try again.",
                code="checksum",
            )
        os.fsync(self._fd)
        self.close()
        self._landing.settle(self._name, self.path)

    def close(self) -> None:
        """Let go; what has come stays for the next try."""
        if self._fd >= 0:
            self._hand_over()
            wait(self._waiting)
            os.close(self._fd)
            self._fd = -1
