"""One command over SSH."""

from __future__ import annotations

import contextlib
import time

import paramiko

from cloudtui_engine.errors import LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts.transport.base import STDERR_KEPT

TICK_S = 0.25
"""Sender and receiver share a channel's one timeout. Each counts its own deadline, so a receiver that waits
longer makes a sender's late by as much, and no more."""
LONGEST_TICK_S = 1.5
"""A receiver's: hundreds of hosts that say nothing are to cost nothing."""
_CHUNK = 32 * 1024


class SshChannel:
    """A session channel of a paramiko transport."""

    def __init__(self, channel: paramiko.Channel, name: str) -> None:
        self._channel = channel
        self._name = name
        self._stderr = bytearray()
        self._tick_s = TICK_S
        channel.settimeout(TICK_S)

    def send(self, data: bytes, timeout: float) -> None:
        """Hand over all of `data` within `timeout`."""
        deadline = time.monotonic() + timeout
        view = memoryview(data)
        while view:
            try:
                sent = self._channel.send(view)  # type: ignore[arg-type]  # a view costs no copy
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise LinkTimeoutError(f"{self._name} took no data for {timeout:.0f} s.") from None
                continue
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise UnreachableError(f"The connection to {self._name} broke.") from error
            if not sent:
                raise UnreachableError(f"{self._name} closed the session.")
            view = view[sent:]

    def recv(self, limit: int, timeout: float) -> bytes:
        """Some bytes, b"" at the end; stderr is emptied on the way, as both share one window."""
        deadline = time.monotonic() + timeout
        self._wait_for_at_most(timeout)
        while True:
            try:
                self._drain_stderr()
                return self._channel.recv(limit)
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise LinkTimeoutError(f"{self._name} said nothing for {timeout:.1f} s.") from None
            except (OSError, EOFError, paramiko.SSHException):
                return b""

    def _wait_for_at_most(self, timeout: float) -> None:
        tick_s = min(max(timeout, 0.01), LONGEST_TICK_S)
        if tick_s != self._tick_s:
            self._tick_s = tick_s
            self._channel.settimeout(tick_s)

    def _drain_stderr(self) -> None:
        while self._channel.recv_stderr_ready():
            chunk = self._channel.recv_stderr(_CHUNK)
            if not chunk:
                break
            self._stderr += chunk[: STDERR_KEPT - len(self._stderr)]

    def stderr_text(self) -> str:
        """The first of its stderr."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._drain_stderr()
        return bytes(self._stderr).decode(errors="replace")

    def exit_status(self, timeout: float) -> int | None:
        """The exit status; None when the host has not said."""
        self._channel.status_event.wait(timeout)
        status = self._channel.exit_status
        return None if status is None or status < 0 else status

    def close(self) -> None:
        """Close the channel; a stuck connection is closed by its transport."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()
