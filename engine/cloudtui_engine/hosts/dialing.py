"""A TCP connection that a host makes to one of its own ports, whichever way the host is reached."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from typing import Protocol

import paramiko

from cloudtui_engine.errors import CloudtuiError, RefusedError, UnreachableError
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.local import LocalTransport
from cloudtui_engine.hosts.transport.openssh import OpenSshTransport
from cloudtui_engine.hosts.transport.ssh import SshTransport

HOST = "localhost"
"""Of the host itself, so its IPv6 loopback counts, too."""
_PROHIBITED = 1
_FAR_ENDS_S = 2.0


class Stream(Protocol):
    """Both directions of a connection: one thread may send while another receives, each as long as it takes.

    An OSError is raised by what can go on no more.
    """

    def recv(self, limit: int) -> bytes:
        """Some bytes; b"" when no more come."""
        ...

    def send(self, data: bytes) -> None:
        """Hand over all of it."""
        ...

    def end(self) -> None:
        """Nothing more is sent; what comes still comes."""
        ...

    def ended_well(self) -> bool:
        """After b"": the other side had said all, it was not cut off."""
        ...

    def close(self) -> None:
        """End both directions, whoever waits on them. Closing twice is fine."""
        ...


def dial(transport: Transport, port: int, timeout: float) -> Stream:
    """A connection to the port.

    Raises:
        UnreachableError: nothing listens there (code `closed_port`), or the way to the host broke.
        RefusedError: the host allows no forwarding (code `no_forwarding`).
    """
    if isinstance(transport, SshTransport):
        return _over_ssh(transport, port, timeout)
    if isinstance(transport, OpenSshTransport):
        return _OfProgram(transport, port)
    if isinstance(transport, LocalTransport):
        try:
            return _OfSocket(socket.create_connection((HOST, port), timeout))
        except OSError as error:
            raise closed_port(transport.name, port) from error
    raise RefusedError(f"{transport.name} is reached in a way that forwards nothing.", code="no_forwarding")


def closed_port(name: str, port: int) -> CloudtuiError:
    """What is said where nothing listens."""
    return UnreachableError(
        f"Nothing listens at port {port} of {name}.", "Start there what should, or check the port.",
        code="closed_port",
    )  # fmt: skip


def _over_ssh(transport: SshTransport, port: int, timeout: float) -> Stream:
    try:
        channel = transport.dial(HOST, port, timeout)
    except paramiko.ChannelException as error:
        if error.code == _PROHIBITED:
            raise RefusedError(
                f"The SSH server of {transport.name} allows no forwarding.",
                "Its AllowTcpForwarding or PermitOpen says so.",
                code="no_forwarding",
            ) from error
        raise closed_port(transport.name, port) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise UnreachableError(f"The connection to {transport.name} broke.") from error
    channel.settimeout(None)  # a connection may be quiet for hours; that its host is gone is seen elsewhere
    return _OfChannel(channel)


class _OfChannel:
    """Of a paramiko channel: its window is the back-pressure."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def recv(self, limit: int) -> bytes:
        try:
            return self._channel.recv(limit)
        except (EOFError, paramiko.SSHException) as error:  # its word on the window has no way any more
            raise BrokenPipeError from error

    def send(self, data: bytes) -> None:
        try:
            self._channel.sendall(data)
        except (EOFError, paramiko.SSHException) as error:
            raise BrokenPipeError from error

    def end(self) -> None:
        with contextlib.suppress(EOFError, paramiko.SSHException):
            self._channel.shutdown_write()

    def ended_well(self) -> bool:
        return bool(self._channel.eof_received)

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()


class _OfSocket:
    """Of this machine's own network."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(None)
        self._socket = sock

    def recv(self, limit: int) -> bytes:
        return self._socket.recv(limit)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def ended_well(self) -> bool:
        return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class _OfProgram(_OfSocket):
    """Of `ssh -W` over the connection that the user's own ssh holds: its pipes are a socket pair."""

    def __init__(self, transport: OpenSshTransport, port: int) -> None:
        ours, its = socket.socketpair()
        with its:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                transport.master.through(HOST, port), stdin=its.fileno(), stdout=its.fileno(),
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        super().__init__(ours)
        self._transport = transport

    def ended_well(self) -> bool:
        # It says 0, too, when the shared connection breaks; but then that is gone.
        try:
            return self._process.wait(_FAR_ENDS_S) == 0 and self._transport.is_alive
        except subprocess.TimeoutExpired:
            return False

    def close(self) -> None:
        super().close()
        self._process.kill()
        self._process.wait()
