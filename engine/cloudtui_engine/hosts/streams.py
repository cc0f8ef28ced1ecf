"""The followed journals of a session: how far each was received, and how far it is stored here."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from cloudtui_engine.errors import FailedError
from cloudtui_host.journal import MAX_LINE

UNACKNOWLEDGED_MOST = 1024 * 1024
"""A host sends 256 KiB ahead of the acknowledgements, and of each journal one unfinished line; one that sends
far more is not to be trusted with our memory."""


@dataclass(slots=True)
class _Stream:
    received: int
    acknowledged: int


class Streams:
    """The offsets of one host's journals; from any thread.

    Args:
        name: what messages call the host.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._streams: dict[int, _Stream] = {}

    def add(self, stream: int, offset: int) -> None:
        """Expect bytes from `offset` on.

        Raises:
            FailedError: the stream is followed already.
        """
        with self._lock:
            if stream in self._streams:
                raise FailedError(f"The stream {stream} is followed already.")
            self._streams[stream] = _Stream(offset, offset)

    def drop(self, stream: int) -> None:
        """Expect no more of it."""
        with self._lock:
            self._streams.pop(stream, None)

    def acknowledge(self, stream: int, offset: int) -> None:
        """All before `offset` is stored here."""
        with self._lock:
            followed = self._streams.get(stream)
            if followed is not None:
                followed.acknowledged = max(followed.acknowledged, offset)

    def receive(self, stream: int, offset: int, size: int) -> bool:
        """Bytes came; False when nobody wants them: they were on their way when the request to follow failed.

        Raises:
            FailedError: a gap, or far more than was asked for.
        """
        with self._lock:
            followed = self._streams.get(stream)
            if followed is None:
                return False
            if offset != followed.received:
                raise FailedError(f"{self._name} sent a journal with a gap.", code="protocol")
            followed.received += size
            ahead = sum(one.received - one.acknowledged for one in self._streams.values())
            most = UNACKNOWLEDGED_MOST + MAX_LINE * len(self._streams)
        if ahead > most:
            raise FailedError(f"{self._name} sends more than it was asked for.", code="protocol")
        return True
