"""Files of a folder as one stream of frames, no further ahead of the engine than its window."""

from __future__ import annotations

import os
import stat
from typing import Any, Dict, Iterator, List, Tuple, Union

from cloudtui_host import frames, layout
from cloudtui_host.errors import HostError

WINDOW = 4 * 1024 * 1024
_CHUNK = frames.LIMIT - frames.DATA_HEAD.size
_BATCH = 16


class Fetch:
    """A `get` under way.

    Args:
        root: the root on this host.
        base: the folder, relative to it.
        wanted: `[{path, offset}]`.

    Raises:
        HostError: a path that leads elsewhere, a file that is none or is shorter than its offset.
    """

    def __init__(self, root: str, base: Any, wanted: Any) -> None:
        self._top = os.path.join(root, layout.readable_base(base))
        if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
            raise HostError("bad_request", "files must be a list of {path, offset}.")
        self._parts: List[Tuple[str, int, int]] = []
        self.files: List[Dict[str, Any]] = []
        for one in wanted:
            path, offset = layout.relative(one.get("path"), "file"), one.get("offset", 0)
            if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
                raise HostError("bad_request", "offset must be a whole number.")
            descriptor = self._open(path)
            size = os.fstat(descriptor).st_size
            os.close(descriptor)
            if offset > size:
                raise HostError(
                    "changed", "%s has %d bytes on the host, fewer than were read before." % (path, size)
                )
            self._parts.append((path, offset, size))
            self.files.append({"path": path, "size": size})
        self._sent = 0
        self._acked = 0

    def _open(self, path: str) -> int:
        """Open a regular file below the base, through no symbolic link."""
        here = -1
        try:
            here = os.open(self._top, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            *folders, name = path.split("/")
            for folder in folders:
                below = os.open(
                    folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here
                )
                os.close(here)
                here = below
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=here)
        except OSError as error:
            raise HostError(
                "not_here", "%s cannot be read on the host: %s." % (path, error.strerror)
            ) from error
        finally:
            if here >= 0:
                os.close(here)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise HostError("not_here", "%s is no regular file." % path)
        return descriptor

    @property
    def must_wait(self) -> bool:
        """Whether the window is full."""
        return self._sent - self._acked >= WINDOW

    def ack(self, offset: int) -> None:
        """The engine has all before `offset` of the stream."""
        self._acked = max(self._acked, min(offset, self._sent))

    def frames(self) -> Iterator[List[Union[bytes, memoryview]]]:
        """DATA frames of stream 0, some together, in the pieces that they are made of.

        Raises:
            HostError: code changed, a file became shorter meanwhile.
        """
        for path, offset, size in self._parts:
            descriptor = self._open(path)
            try:
                while offset < size:
                    content = os.pread(descriptor, min(_CHUNK * _BATCH, size - offset), offset)
                    if not content:
                        raise HostError("changed", "%s became shorter while it was read." % path)
                    offset += len(content)
                    yield self._framed(memoryview(content))
            finally:
                os.close(descriptor)

    def _framed(self, content: memoryview) -> List[Union[bytes, memoryview]]:
        pieces: List[Union[bytes, memoryview]] = []
        for start in range(0, len(content), _CHUNK):
            chunk = content[start : start + _CHUNK]
            pieces += (frames.data_head(0, self._sent, chunk), chunk)
            self._sent += len(chunk)
        return pieces
