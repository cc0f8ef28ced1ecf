"""The two ends of a channel without ever waiting: requests in, replies and data out, replies first."""

from __future__ import annotations

import collections
import errno
import json
import os
from typing import Any, Callable, Deque, Dict, List, Optional

from cloudtui_host import frames

_READ = 256 * 1024


class ClosedError(Exception):
    """The engine's end of the channel is gone."""


class Lane:
    """Frames over two nonblocking descriptors.

    Args:
        source: descriptor that requests come from.
        sink: descriptor that frames go to.
        next_data: the next DATA frame to send, None when there is none now; asked only when no reply waits.
    """

    def __init__(self, source: int, sink: int, next_data: Callable[[], Optional[bytes]]) -> None:
        self.source = source
        self.sink = sink
        self._next_data = next_data
        self._decoder = frames.Decoder()
        self._control: Deque[bytes] = collections.deque()
        self._current = memoryview(b"")
        self.blocked = False
        """Whether the channel takes no more for now."""
        os.set_blocking(source, False)
        os.set_blocking(sink, False)

    @property
    def waiting_bytes(self) -> int:
        """How much of replies waits for the channel."""
        return sum(len(frame) for frame in self._control)

    def send(self, obj: Dict[str, Any]) -> None:
        """Queue a reply or an event; `pump` sends it."""
        self._control.append(frames.message(obj))

    def pump(self) -> None:
        """Send as much as the channel takes.

        Raises:
            ClosedError: nobody reads any more.
        """
        self.blocked = False
        while self._refill():
            try:
                self._current = self._current[os.write(self.sink, self._current) :]
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    self.blocked = True
                    return
                if error.errno != errno.EINTR:
                    raise ClosedError from None

    def _refill(self) -> bool:
        if not self._current:
            # A frame that is on its way is finished first; between frames replies go before data.
            frame = self._control.popleft() if self._control else self._next_data()
            self._current = memoryview(frame or b"")
        return bool(self._current)

    def receive(self) -> List[Dict[str, Any]]:
        """The messages that have come.

        Raises:
            ClosedError: the end of input.
        """
        try:
            chunk = os.read(self.source, _READ)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return []
            raise ClosedError from None
        if not chunk:
            raise ClosedError
        messages = []
        for kind, payload in self._decoder.feed(chunk):
            obj = _object(payload) if kind == frames.MESSAGE else None
            if obj is not None:
                messages.append(obj)
        return messages


def _object(payload: bytes) -> Optional[Dict[str, Any]]:
    try:
        obj = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return obj if isinstance(obj, dict) else None
