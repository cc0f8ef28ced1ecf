"""Files that are followed as they grow: in turn, as far as credit goes, while they are what they were."""

from __future__ import annotations

import collections
import os
from typing import Deque, Dict, Optional, Set

from cloudtui_host import frames, watch
from cloudtui_host.errors import HostError, from_os

CREDIT = 256 * 1024
"""Bytes of a session that may be on their way and not acknowledged."""
TAIL = 32
CHUNK = frames.LIMIT - frames.DATA_HEAD.size


class Stream:
    """One file that is followed.

    Args:
        number: the engine's name for it.
        path: the file; it need not exist yet.
        offset: where to go on.
        by_line: the engine can acknowledge whole lines only.
    """

    def __init__(self, number: int, path: str, offset: int, by_line: bool) -> None:
        self.number = number
        self.path = path
        self.sent = offset
        self.acked = offset
        self.ackable = offset
        """The engine can acknowledge up to here with what it has been sent."""
        self.by_line = by_line
        self.tail = b""
        self.descriptor = -1
        self.watched: Set[int] = set()

    def open(self) -> bool:
        """Open the file where it exists by now.

        Raises:
            HostError: it exists and cannot be read.
        """
        if self.descriptor < 0:
            try:
                self.descriptor = os.open(
                    self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                )
            except FileNotFoundError:
                return False
            except OSError as error:
                raise from_os(error, "read %s" % os.path.basename(self.path)) from error
        return True

    @property
    def size(self) -> int:
        """Bytes that the file has now."""
        return os.fstat(self.descriptor).st_size if self.descriptor >= 0 else 0

    def check(self, tail: bytes) -> None:
        """See that the file goes on from what the engine has.

        Raises:
            HostError: code journal_rewritten, it does not.
        """
        if self.size < self.sent:
            raise _rewritten("it has %d bytes, and %d were read before" % (self.size, self.sent))
        if len(tail) > self.sent or (
            tail and os.pread(self.descriptor, len(tail), self.sent - len(tail)) != tail
        ):
            raise _rewritten("the bytes before offset %d are others than before" % self.sent)
        self.tail = tail

    def read(self, limit: int) -> Optional[bytes]:
        """The next bytes, at most `limit`; b"" at the end for now; None when the file is not what it was."""
        if self.size < self.sent:
            return None
        before = len(self.tail)
        content = os.pread(self.descriptor, limit + before, self.sent - before)
        if content[:before] != self.tail:
            return None
        chunk = content[before:]
        if chunk:
            self.tail = content[-TAIL:]
            self.sent += len(chunk)
            newline = chunk.rfind(b"\n")
            if not self.by_line:
                self.ackable = self.sent
            elif newline >= 0:
                self.ackable = self.sent - len(chunk) + newline + 1
        return chunk

    def replaced(self) -> bool:
        """Whether another file has taken the place of the one that is open."""
        if self.descriptor < 0:
            return False
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False  # Deleted: what is open is still read to its end.
        mine = os.fstat(self.descriptor)
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def close(self) -> None:
        """Let go of the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _rewritten(why: str) -> HostError:
    return HostError("journal_rewritten", "The file was changed on the host: %s." % why)


class Follows:
    """All streams of a session."""

    def __init__(self) -> None:
        self.streams: Dict[int, Stream] = {}
        self.watcher = watch.Watcher()
        self.rewritten: Deque[int] = collections.deque()
        """Streams that ended because their file is not what it was; the caller takes them out."""
        self._ready: Deque[int] = collections.deque()
        self._by_watch: Dict[int, Set[int]] = {}
        self.deaf = self.watcher.descriptor < 0
        """Whether some file can only be polled."""

    def add(self, stream: Stream, tail: bytes) -> int:
        """Follow a file; returns its size now.

        Raises:
            HostError: code journal_rewritten, or the file cannot be read.
        """
        self.remove(stream.number)
        try:
            self._listen(stream)
            if stream.open():
                stream.check(tail)
            elif stream.sent:
                raise _rewritten("it is gone, and %d bytes of it were read before" % stream.sent)
        except HostError:
            self._forget(stream)
            raise
        self.streams[stream.number] = stream
        self._ready.append(stream.number)
        return stream.size

    def _listen(self, stream: Stream) -> None:
        """Hear of the file where it exists, else of the folder in which it will."""
        number = self.watcher.add(stream.path, watch.FILE)
        if number < 0:
            number = self.watcher.add(os.path.dirname(stream.path), watch.FOLDER)
        if number < 0:
            self.deaf = True
            return
        stream.watched.add(number)
        self._by_watch.setdefault(number, set()).add(stream.number)

    def remove(self, number: int) -> None:
        """Follow no more."""
        stream = self.streams.pop(number, None)
        if stream is not None:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        stream.close()
        for watched in stream.watched:
            users = self._by_watch.get(watched, set())
            users.discard(stream.number)
            if not users:
                self._by_watch.pop(watched, None)
                self.watcher.remove(watched)

    def ack(self, number: int, offset: int) -> None:
        """All before `offset` is committed by the engine."""
        stream = self.streams.get(number)
        if stream is not None:
            stream.acked = max(stream.acked, min(offset, stream.sent))

    def heard(self) -> None:
        """Take what the kernel tells of changes."""
        for watched in self.watcher.changed():
            numbers = self._by_watch.get(watched)
            # -1 is a queue that ran over: look at everything.
            for number in list(self.streams if watched < 0 else numbers or ()):
                self._wake(number)

    def look(self) -> None:
        """Look at every file, for what is not heard of: replaced files, other machines' writes."""
        self.deaf = self.watcher.descriptor < 0
        for number, stream in list(self.streams.items()):
            if stream.replaced():
                self._end(number)
                continue
            if not stream.watched:
                self._listen(stream)
            self._wake(number)

    def _wake(self, number: int) -> None:
        if number in self.streams and number not in self._ready:
            self._ready.append(number)

    def _end(self, number: int) -> None:
        self.remove(number)
        self.rewritten.append(number)

    def next_data(self) -> Optional[bytes]:
        """The next DATA frame, of the stream that waited longest, as far as credit goes; else None."""
        out = sum(stream.sent - stream.acked for stream in self.streams.values())
        room = CREDIT - out
        if room <= 0:
            if any(stream.ackable > stream.acked for stream in self.streams.values()):
                return None
            # Nothing of what was sent is a whole line yet: only more can free the credit.
            room = CHUNK
        limit = min(CHUNK, room)
        for _ in range(len(self._ready)):
            number = self._ready[0]
            frame = self._frame(number, limit)
            if frame is not None:
                self._ready.rotate(-1)
                return frame
            if self._ready and self._ready[0] == number:
                self._ready.popleft()
        return None

    def _frame(self, number: int, limit: int) -> Optional[bytes]:
        """A frame of one stream, None where it has nothing now."""
        stream = self.streams.get(number)
        if stream is None:
            return None
        try:
            if stream.descriptor < 0:
                if not stream.open():
                    return None
                self._listen(stream)
            offset = stream.sent
            chunk = stream.read(limit)
        except (HostError, OSError):
            chunk = None
        if chunk is None:
            self._end(number)
            return None
        return frames.data(number, offset, chunk) if chunk else None
