"""One command over SSH."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import paramiko

from cloudtui_engine.errors import LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts.transport.base import STDERR_KEPT

TICK_S = 0.25
"""Sender and receiver share a channel's one timeout. Each counts its own deadline, so that is late by as much
at most."""
_CHUNK = 32 * 1024


class _Bell:
    """What a pipe of paramiko's takes for an event; it tells instead of being asked, and keeps nothing."""

    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready = ready

    def set(self) -> None:
        self._ready()

    def clear(self) -> None:
        """It was told."""


class SshChannel:
    """A session channel of a paramiko transport."""

    def __init__(self, channel: paramiko.Channel, name: str) -> None:
        self._channel = channel
        self._name = name
        self._stderr = bytearray()
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
        while True:
            try:
                self._drain_stderr()
                if timeout > 0 or self._is_ready():
                    return self._channel.recv(limit)
            except TimeoutError:
                pass
            except (OSError, EOFError, paramiko.SSHException):
                return b""
            if time.monotonic() >= deadline:
                raise LinkTimeoutError(f"{self._name} said nothing for {timeout:.1f} s.")

    def _is_ready(self) -> bool:
        """Whether a `recv` waits for nothing: there are bytes, or no more will come."""
        return bool(self._channel.recv_ready() or self._channel.eof_received or self._channel.closed)

    def watch(self, ready: Callable[[], None]) -> None:
        """Have `ready` called by the connection's own thread."""
        bell = _Bell(ready)
        self._channel.in_buffer.set_event(bell)  # type: ignore[arg-type]  # all of an event that it uses
        self._channel.in_stderr_buffer.set_event(bell)  # type: ignore[arg-type]
        ready()

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
