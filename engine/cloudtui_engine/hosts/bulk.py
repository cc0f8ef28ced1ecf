"""The bulk lane: its own connection where there is one to give, one request after another, much data."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Mapping
from typing import Any

from cloudtui_engine.errors import CloudtuiError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts import bootstrap, replies
from cloudtui_engine.hosts.transport import Transport
from cloudtui_host import frames

CONNECT_S = 30.0
STALL_S = 30.0
"""No byte for so long is the end of a transfer."""
LOOK_S = 0.2
"""How often is looked whether the transfer is still wanted."""
_READ = 4 * 1024 * 1024
"""More than paramiko holds: taking all of it saves moving the rest to the front each time."""

OnProgress = Callable[[int, int], None]
"""(bytes there, bytes in all)"""


class Cancelled(Exception):  # noqa: N818 - not an error: the user withdrew it
    """The transfer is not wanted any more; what has arrived is kept for the next one."""


class BulkLane:
    """One open bulk lane; a context manager that closes it.

    Args:
        transport: of the session, connected; its second connection is used.
        root: our folder on the host.
        cancelled: asked several times a second while something is waited for.

    Raises:
        Cancelled: at any wait, when `cancelled()` is true.
        CloudtuiError: as `Transport.connect` and `bootstrap.start`.
    """

    def __init__(self, transport: Transport, root: str, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._transport = transport.second()
        self._owns = self._transport is not transport
        self._frames: collections.deque[tuple[int, bytes]] = collections.deque()
        self._next_id = 1
        self.name = transport.name
        self.raise_if_cancelled()
        try:
            if self._owns:
                self._transport.connect(CONNECT_S)
            started = bootstrap.start(self._transport, root, "bulk", CONNECT_S)
        except CloudtuiError:
            self._close_transport()
            raise
        self._channel, self._decoder = started.channel, started.decoder
        self._frames += started.rest

    def __enter__(self) -> BulkLane:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the lane at once, a sender that is stuck in it too."""
        if not self._owns:
            self._channel.close()
        self._close_transport()

    def raise_if_cancelled(self) -> None:
        """For loops that wait for nothing."""
        if self._cancelled():
            raise Cancelled

    def send(self, data: bytes) -> None:
        """Raw frames; from one thread at a time."""
        self._channel.send(data, STALL_S)

    def begin(self, verb: str, args: Mapping[str, Any]) -> int:
        """Send a request; its reply is a message with this id."""
        number = self._next_id
        self._next_id += 1
        self.send(frames.message({"id": number, "verb": verb, "args": dict(args)}))
        return number

    def request(self, verb: str, args: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Ask and wait for the reply; events on the way are dropped.

        Raises:
            CloudtuiError: what the host replied.
        """
        number = self.begin(verb, args)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.next_frame()
            if found is None or found[0] != frames.MESSAGE:
                continue
            result = reply_to(number, replies.parse(found[1]))
            if result is not None:
                return result
        raise LinkTimeoutError(f"{self.name} did not answer {verb!r} within {timeout:.0f} s.")

    def next_frame(self) -> tuple[int, bytes] | None:
        """The next frame; None when none came for `LOOK_S`.

        Raises:
            Cancelled: nobody wants it any more. UnreachableError: the lane ended.
        """
        if not self._frames:
            self.raise_if_cancelled()
            try:
                chunk = self._channel.recv(_READ, LOOK_S)
            except LinkTimeoutError:
                return None
            if not chunk:
                raise UnreachableError(
                    f"The connection to {self.name} ended during a transfer.",
                    "What has arrived is kept; try again.",
                )
            self._frames += self._decoder.feed(chunk)
        return self._frames.popleft() if self._frames else None

    def _close_transport(self) -> None:
        if self._owns:
            self._transport.close()


def reply_to(number: int, message: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The result in `message` when it is the reply to this request.

    Raises:
        CloudtuiError: it is an error.
    """
    if message is None or message.get("id") != number or isinstance(message.get("event"), str):
        return None
    result = message.get("result")
    if message.get("ok") is not True or not isinstance(result, dict):
        raise replies.error(message.get("error"))
    return result
