"""A TCP connection for SSH: by name, over IPv6 or IPv4, in time, and tuned so that a dead peer is noticed."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cloudtui_engine.errors import LinkTimeoutError, UnreachableError
from cloudtui_engine.sanitize import clean_line

STAGGER_S = 0.25
"""How long an address has before the next one is tried beside it (RFC 8305)."""
USER_TIMEOUT_MS = 15000
"""Unacknowledged data for so long ends the connection: keepalive alone leaves a half-open link "active"."""
GREETING_S = 15.0
"""How long a server may take for its first line."""
_GREETING_BYTES = 4096

Address = tuple[socket.AddressFamily, Any]


def connect(host: str, port: int, name: str, timeout: float) -> socket.socket:
    """A connected, tuned socket to `host`.

    Raises:
        UnreachableError: no such name, nothing listens, no way there. LinkTimeoutError: no answer in time.
    """
    deadline = time.monotonic() + timeout
    addresses = _interleaved(_resolve(host, port, name, timeout))
    sock = _race(addresses, f"{name} ({host} port {port})", deadline)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
    if user_timeout is not None:
        sock.setsockopt(socket.IPPROTO_TCP, user_timeout, USER_TIMEOUT_MS)
    return sock


def check_greeting(sock: socket.socket, name: str, port: int, timeout: float) -> None:
    """See, without taking it, that the server's first words are SSH.

    Raises:
        UnreachableError: it hung up or is no SSH server. LinkTimeoutError: it says nothing.
    """
    deadline = time.monotonic() + min(timeout, GREETING_S)
    seen = b""
    while not _is_greeting(seen) and len(seen) < _GREETING_BYTES:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        sock.settimeout(left)
        try:
            latest = sock.recv(_GREETING_BYTES, socket.MSG_PEEK)
        except TimeoutError:
            break
        except OSError as error:
            raise _hung_up(name, port) from error
        if latest == seen:
            # The peeked bytes are all there is: either the end, or more is on its way.
            if not latest:
                raise _hung_up(name, port)
            time.sleep(0.02)
            with contextlib.suppress(OSError):
                if not _peer_is_open(sock):
                    break
        seen = latest
    sock.settimeout(None)
    if _is_greeting(seen):
        return
    if not seen:
        raise LinkTimeoutError(
            f"{name} took the connection on port {port} but said nothing.",
            "The SSH server there is overloaded, or something else listens on that port.",
        )
    first = clean_line(seen.decode(errors="replace").splitlines()[0], 80)
    raise UnreachableError(
        f"What listens on port {port} of {name} is not an SSH server: it says {first!r}.",
        "Check the port of this instance.",
    )


def _is_greeting(seen: bytes) -> bool:
    """RFC 4253: other lines may come first."""
    return any(line.startswith(b"SSH-") for line in seen.split(b"\n"))


def _peer_is_open(sock: socket.socket) -> bool:
    info = getattr(socket, "TCP_INFO", None)
    return info is None or sock.getsockopt(socket.IPPROTO_TCP, info, 1) == b"\x01"


def _hung_up(name: str, port: int) -> UnreachableError:
    return UnreachableError(
        f"{name} closed the connection on port {port} before a word of SSH.",
        "The machine may be starting, its SSH server may have too many connections, or it bans us.",
    )


def _resolve(host: str, port: int, name: str, timeout: float) -> list[Address]:
    """All addresses of `host`; the resolver knows no deadline, so a thread asks that may be left behind."""
    answer: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([(family, address) for family, _, _, _, address in found])
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name=f"resolve-{host}", daemon=True).start()
    try:
        found = answer.get(timeout=timeout)
    except queue.Empty:
        raise LinkTimeoutError(
            f"The name {host} of {name} was not resolved within {timeout:.0f} s.",
            "Check this machine's network connection.",
        ) from None
    if isinstance(found, OSError):
        raise UnreachableError(
            f"The name {host} of {name} cannot be resolved: {found.strerror or found}.",
            "Check the spelling, and this machine's network connection.",
        ) from found
    return found


def _interleaved(addresses: list[Address]) -> list[Address]:
    """The resolver's order, families taking turns: one that is dead here costs one stagger."""
    first = [item for item in addresses if item[0] == addresses[0][0]]
    other = [item for item in addresses if item[0] != addresses[0][0]]
    pairs = itertools.zip_longest(first, other)
    return [item for pair in pairs for item in pair if item is not None]


def _race(addresses: Iterable[Address], where: str, deadline: float) -> socket.socket:
    """The first that connects."""
    waiting = iter(addresses)
    error = 0
    with selectors.DefaultSelector() as selector:
        try:
            more = True
            while True:
                if more:
                    more, failed = _begin_next(waiting, selector)
                    error = failed or error
                if not more and not selector.get_map():
                    raise _unreachable(where, error)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise LinkTimeoutError(
                        f"{where} does not answer.",
                        "Is the machine running, and does its firewall let this address in?",
                    )
                for key, _ in selector.select(min(left, STAGGER_S) if more else left):
                    sock: socket.socket = key.data
                    selector.unregister(sock)
                    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not error:
                        return sock
                    sock.close()
        finally:
            for key in list(selector.get_map().values()):
                key.data.close()


def _begin_next(waiting: Iterable[Address], selector: selectors.BaseSelector) -> tuple[bool, int]:
    """Start one more connection; (whether there was one, errno of a failure at once)."""
    for family, address in waiting:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            return True, error.errno or errno.EAFNOSUPPORT
        sock.setblocking(False)
        begun = sock.connect_ex(address)
        if begun not in {0, errno.EINPROGRESS}:
            sock.close()
            return True, begun
        selector.register(sock, selectors.EVENT_WRITE, sock)
        return True, 0
    return False, 0


def _unreachable(where: str, error: int) -> UnreachableError:
    if error == errno.ECONNREFUSED:
        return UnreachableError(
            f"{where} refused the connection: nothing listens there.",
            "Check the port, and that the SSH server runs. A machine that was just started needs a minute.",
        )
    if error == errno.ETIMEDOUT:
        return LinkTimeoutError(f"{where} does not answer.", "Is the machine running?")
    return UnreachableError(
        f"There is no way to {where}: {os.strerror(error) if error else 'no address'}.",
        "Check this machine's network connection.",
    )


@contextlib.contextmanager
def deadline(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """Call `end` unless the body is done in time: for the waits of paramiko that know no deadline."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
