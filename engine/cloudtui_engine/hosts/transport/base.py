"""What a session needs of a way to a host."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

STDERR_KEPT = 8192
"""Bytes of a channel's stderr that are kept for an error message; the rest is read and dropped."""
BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 30.0


class Channel(Protocol):
    """A command that runs on the host: its stdin, stdout and stderr.

    One thread may send while another receives. Every wait has a deadline.
    """

    def send(self, data: bytes, timeout: float) -> None:
        """Hand over all of `data`.

        Raises:
            LinkTimeoutError: not all of it went out in time; the channel is of no more use.
            UnreachableError: the other end is gone.
        """
        ...

    def recv(self, limit: int, timeout: float) -> bytes:
        """Some bytes, at most `limit`; b"" at the end.

        Raises:
            LinkTimeoutError: nothing came in time; asking again is fine.
        """
        ...

    def watch(self, ready: Callable[[], None]) -> None:
        """Have `ready` called whenever there may be something to `recv`, its end included; at once, too.

        From whichever thread sees it: it must return at once. Whoever watches calls `recv` with no time to
        wait, once for each call at least.
        """
        ...

    def stderr_text(self) -> str:
        """The first of what the command wrote to stderr so far: bounded, not cleaned."""
        ...

    def exit_status(self, timeout: float) -> int | None:
        """The command's exit status, or None when it is not known in time."""
        ...

    def close(self) -> None:
        """End it. Closing twice is fine."""
        ...


class Transport(Protocol):
    """A way to one host. `connect` again after it broke is fine."""

    name: str
    """What a person calls the host, for messages."""
    python: str
    """The interpreter to use there; empty when it is to be looked for."""

    @property
    def is_alive(self) -> bool:
        """Whether it is connected, as far as is known."""
        ...

    def connect(self, timeout: float) -> None:
        """Be connected and logged in within `timeout` seconds.

        Raises:
            HostKeyError: unknown, changed or revoked key.
            AuthError: the host will not have us.
            UnreachableError: it could not be reached; LinkTimeoutError: not in time.
        """
        ...

    def open(self, command: str, timeout: float) -> Channel:
        """Run one command for /bin/sh-like login shells.

        Raises:
            UnreachableError: the connection broke or gives no more channels.
        """
        ...

    def second(self) -> Transport:
        """A connection of its own to the same host, not yet connected; this object where there is none."""
        ...

    def close(self) -> None:
        """End it and all its channels at once, even when the network is stuck. Closing twice is fine."""
        ...


def backoff(attempt: int) -> float:
    """Seconds to wait before attempt number `attempt` (from 0) is repeated: doubling, jitter, at most 30.

    A host that is asked too often may ban us, and hosts that went together must not be asked together.
    """
    most = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * float(2 ** min(attempt, 16)))
    return most * random.uniform(0.5, 1.0)  # noqa: S311 - spread, not secrecy
