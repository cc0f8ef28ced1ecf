"""A port of a host, here: connections to 127.0.0.1 are carried to it, over a connection of their own.

Each is two threads that copy: one waits while the other side is slow, and nobody else does. The link to the
host is needed for as long as this lives; where it broke, the way is made again when the host is back, and
connections that were cut off are reset, so that nobody takes half of an answer for the whole.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
import time
from dataclasses import dataclass

from cloudtui_engine.errors import (
    AuthError,
    CloudtuiError,
    FailedError,
    HostKeyError,
    RefusedError,
    UnreachableError,
)
from cloudtui_engine.hosts.dialing import Stream, dial
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.transport import Transport, backoff
from cloudtui_engine.hosts.transport.ssh import SshTransport

LOOPBACK = "127.0.0.1"
MOST = 256
"""Connections at once; more wait to be taken, as at any server."""
LINK_S = 30.0
CONNECT_S = 20.0
DIAL_S = 15.0
PATIENCE_S = 10.0
"""So long a new connection waits for a host that cannot be reached just now."""
_LOOK_S = 0.25
_ASK_S = 5.0
"""The user's own ssh is asked by a process each time."""
_PROOF_S = 10.0
"""What was silent is given so long to carry something again."""
_ENDING_S = 0.5
_STEADY_S = 10.0
_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a forward is."""

    is_open: bool
    why: str = ""
    """Why it is not, or why the newest connection was not made."""


class Forward:
    """One forwarded port, from its making to `close`.

    Args:
        link: to the host.
        name: of the host, for messages.
        remote: the port there.
        local: the port here; 0: `rather` if it is free, else any.
        rather: 0: the same one as there.

    Raises:
        RefusedError: the port here is taken (code `taken`).
    """

    def __init__(self, link: HostLink, name: str, remote: int, local: int = 0, rather: int = 0) -> None:
        self.name, self.remote = name, remote
        self._link = link
        self._listener = _listen(local, rather or remote)
        self._listener.settimeout(_LOOK_S)
        self.local = int(self._listener.getsockname()[1])
        """The port here."""
        self.failed: CloudtuiError | None = None
        """Why it will not come about, however long one waits."""
        self._state = threading.Condition()
        self._way: Transport | None = None
        self._why = "It is being connected."
        self._silent = False
        self._ended = threading.Event()
        self._room = threading.BoundedSemaphore(MOST)
        self._carried: dict[socket.socket, Stream | None] = {}
        for work in (self._keep, self._accept):
            threading.Thread(target=work, name=f"forward-{self.local}", daemon=True).start()

    def standing(self) -> Standing:
        """How it is now."""
        with self._state:
            if self._way is not None and self._silent:
                return Standing(False, f"{self.name} does not answer.")
            return Standing(self._way is not None, self._why)

    def close(self) -> None:
        """Listen no more, and end all connections."""
        self._ended.set()
        self._listener.close()
        with self._state:
            self._way = None
            carried = dict(self._carried)
            self._state.notify_all()
        for sock, stream in carried.items():
            _cut(sock)
            if stream is not None:
                stream.close()
        with self._state:
            self._state.wait_for(lambda: not self._carried, _ENDING_S)
            for sock in self._carried:  # it is sending to who does not read: the reset follows at once
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._state.wait_for(lambda: not self._carried, _ENDING_S)

    # -- the way there

    def _keep(self) -> None:
        """Have a way to the host until the end."""
        attempt = 0
        try:
            while not self._ended.is_set():
                begun = time.monotonic()
                try:
                    with self._link.session(LINK_S) as session:
                        self._hold(session.transport)
                except (HostKeyError, AuthError) as error:
                    self.failed = error
                    return
                except CloudtuiError as error:
                    self._tell(error.message)
                attempt = 0 if time.monotonic() - begun > _STEADY_S else attempt + 1
                self._ended.wait(backoff(attempt))
        finally:
            if not self._ended.is_set() and self.failed is None:
                self.failed = FailedError("It ended by an error inside cloudtui.", "Report it, please.")

    def _hold(self, transport: Transport) -> None:
        """Be connected until the connection breaks."""
        way = transport.second()
        owns = way is not transport
        try:
            if owns:
                way.connect(CONNECT_S)
            self._use(way)
            while not self._ended.wait(_LOOK_S if isinstance(way, SshTransport) else _ASK_S):
                if not way.is_alive:
                    raise UnreachableError(f"The connection to {self.name} broke.")
                if owns:
                    self._heed_link(way)
        finally:
            self._silent = False
            self._use(None)
            if owns:
                way.close()

    def _heed_link(self, way: Transport) -> None:
        """A connection on which nothing is said looks alive for a quarter of an hour after its host went.

        The link knows sooner. Once that is back, the connection has to carry something, or is made again.

        Raises:
            UnreachableError: it carries nothing.
        """
        if not self._link.is_up:
            self._silent = True
        elif self._silent:
            try:
                dial(way, self.remote, _PROOF_S).close()
            except UnreachableError as error:
                if error.code != "closed_port":
                    raise
            self._silent = False

    def _use(self, way: Transport | None) -> None:
        with self._state:
            self._way = way
            self._why = "" if way is not None else self._why
            self._state.notify_all()

    def _tell(self, why: str) -> None:
        with self._state:
            self._why = why

    def _dial(self) -> Stream:
        """A connection to the port there."""
        with self._state:
            self._state.wait_for(lambda: self._way is not None or self._ended.is_set(), PATIENCE_S)
            way, why = self._way, self._why
        if way is None:
            raise UnreachableError(why)
        stream = dial(way, self.remote, DIAL_S)
        self._tell("")
        return stream

    # -- connections

    def _accept(self) -> None:
        while not self._ended.is_set():
            if not self._room.acquire(timeout=_LOOK_S):
                continue
            try:
                sock, _ = self._listener.accept()
            except OSError:  # nobody came; too many files are open, and later some are not; or it is the end
                self._room.release()
                self._ended.wait(0.01)
                continue
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(sock,), name="forwarded", daemon=True).start()

    def _carry(self, sock: socket.socket) -> None:
        """One connection, from its first byte to its last."""
        stream: Stream | None = None
        well = False
        with self._state:
            self._carried[sock] = None
        try:
            stream = self._dial()
            with self._state:
                self._carried[sock] = stream
            well = self._both_ways(sock, stream)
        except CloudtuiError as error:
            self._tell(error.message)
        finally:
            if stream is not None:
                stream.close()
            if not well:
                _cut(sock)
            with self._state:  # `close` touches none that is closed
                self._carried.pop(sock)
                sock.close()
                self._state.notify_all()
            self._room.release()

    def _both_ways(self, sock: socket.socket, stream: Stream) -> bool:
        """Whether both sides have said all that they had to."""
        up = threading.Thread(target=_send_up, args=(sock, stream), name="forwarded-up", daemon=True)
        up.start()
        well = _bring_down(sock, stream)
        if not well:
            stream.close()
            _cut(sock)
        up.join()
        return well


def _send_up(sock: socket.socket, stream: Stream) -> None:
    """What the program here says; its end is told as an end, and a break as a break."""
    try:
        while data := sock.recv(_CHUNK):
            stream.send(data)
        stream.end()
    except OSError:
        stream.close()


def _bring_down(sock: socket.socket, stream: Stream) -> bool:
    """What the host says; whether that was all of it."""
    try:
        while data := stream.recv(_CHUNK):
            sock.sendall(data)
        if not stream.ended_well():
            return False
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return True


def _cut(sock: socket.socket) -> None:
    """Have the program there see a broken connection, and who waits on the socket go on."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        sock.shutdown(socket.SHUT_RD)


def _listen(local: int, rather: int) -> socket.socket:
    """Loopback and nothing else."""
    for port in (local,) if local else (rather, 0):
        try:
            return socket.create_server((LOOPBACK, port), backlog=64)
        except (OSError, OverflowError) as error:
            if not local and port:
                continue
            taken = getattr(error, "errno", 0) == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be used: {getattr(error, 'strerror', None) or error}"
            raise RefusedError(
                f"Port {port} of this machine {why}.", "Choose another, or none: then any that is free.",
                code="taken" if taken else "refused",
            ) from error  # fmt: skip
    raise AssertionError("The last try returns or raises.")
