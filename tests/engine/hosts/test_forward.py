"""A forwarded port over a real server: bytes, ends, breaks, many at once, and nothing but loopback."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd, wait_for

from cloudtui_engine.errors import HostKeyError, RefusedError, UnreachableError
from cloudtui_engine.hosts.forward import Forward
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.ssh_config import Endpoint

SEVERAL = 40
LARGE = 8 << 20


class Link:
    """As far as a forward needs one: a session's transport, connected anew for each."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self.sessions = 0
        self.is_up = True

    @contextlib.contextmanager
    def session(self, timeout: float) -> Iterator[Any]:
        transport = self._make()
        transport.connect(timeout)
        self.sessions += 1
        try:
            yield type("Session", (), {"transport": transport})
        finally:
            transport.close()


class Service:
    """A server on the host's loopback that answers in some way, a thread a connection."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            self._answer(sock)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def everything(sock: socket.socket) -> bytes:
    """All that comes until the other side has ended."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def digest(sock: socket.socket) -> None:
    """Answers once it has everything: so the end of what was sent has to arrive as an end."""
    sock.sendall(hashlib.sha256(everything(sock)).digest())


def flood(sock: socket.socket) -> None:
    """Sends without an end."""
    while True:
        sock.sendall(b"x" * 65536)


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    made: list[Service] = []

    def make(answer: Callable[[socket.socket], None]) -> Service:
        made.append(Service(answer))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def link_to(tmp_path: Path, sshd: Sshd) -> Callable[..., Link]:
    def make(port: int | None = None) -> Link:
        known = tmp_path / "known_hosts"
        known.write_text(sshd.known_line(port))
        where = Endpoint("box", sshd.address, sshd.user, port or sshd.port, key_file=str(sshd.user_key))
        return Link(lambda: SshTransport(where, KnownHosts(known, ())))

    return make


@pytest.fixture
def forward(link_to: Callable[..., Link]) -> Iterator[Callable[..., Forward]]:
    made: list[Forward] = []

    def make(remote: int, *, link: Link | None = None, local: int = 0) -> Forward:
        made.append(Forward(link or link_to(), "box", remote, local))  # type: ignore[arg-type]
        wait_for(lambda: made[-1].standing().is_open or made[-1].failed, "the forward")
        return made[-1]

    yield make
    for one in made:
        one.close()


def connect(forward: Forward) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forward.local), timeout=20)


def test_many_at_once_get_their_own_bytes_and_an_end_is_an_end(
    serve: Callable[..., Service], forward: Callable[..., Forward], way: Callable[..., Transport], sshd: Sshd
) -> None:
    one = forward(serve(digest).port, link=Link(lambda: way(sshd)))
    sent = [os.urandom(200_000) for _ in range(SEVERAL)]
    with contextlib.ExitStack() as open_ones:
        socks = [open_ones.enter_context(connect(one)) for _ in sent]
        for sock, data in zip(socks, sent, strict=True):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        assert [everything(sock) for sock in socks] == [hashlib.sha256(data).digest() for data in sent]


def test_who_does_not_read_holds_up_its_own_sender_and_nobody_else(
    serve: Callable[..., Service], forward: Callable[..., Forward]
) -> None:
    taken = 0

    def counted(sock: socket.socket) -> None:
        nonlocal taken
        while True:
            taken += sock.send(b"x" * 65536)

    lazy = forward(serve(counted).port)
    with connect(lazy) as sock:
        seen = -1

        def stands() -> bool:
            nonlocal seen
            before, seen = seen, taken
            return 0 < taken == before and not threading.Event().wait(0.2) and taken == before

        wait_for(stands, "the sender to be held up")
        assert taken < 64 << 20  # windows and buffers, not memory without end
        other = forward(serve(digest).port)
        with connect(other) as quick:
            quick.sendall(b"hello")
            quick.shutdown(socket.SHUT_WR)
            assert everything(quick) == hashlib.sha256(b"hello").digest()
        lazy.close()  # with a sender that is stuck
        with pytest.raises(ConnectionError):
            everything(sock)


def test_a_link_cut_in_the_middle_resets_and_comes_back_by_itself(
    serve: Callable[..., Service], forward: Callable[..., Forward], way: Callable[..., Transport],
    make_proxy: Callable[..., Proxy], sshd: Sshd, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("cloudtui_engine.hosts.forward._ASK_S", 0.25)
    proxy = make_proxy(sshd)
    link = Link(lambda: way(sshd, port=proxy.port))
    one = forward(serve(flood).port, link=link)
    with connect(one) as sock:
        assert sock.recv(1000)
        proxy.cut_after(1 << 20)
        with pytest.raises(ConnectionError):  # half of an answer is not taken for the whole
            everything(sock)
    wait_for(lambda: link.sessions == 2 and one.standing().is_open, "the way to be made again", 30)
    with connect(one) as again:
        assert again.recv(1000)


def test_a_host_that_fell_silent_is_said_and_a_dead_way_is_made_again(
    serve: Callable[..., Service], forward: Callable[..., Forward], link_to: Callable[..., Link],
    make_proxy: Callable[..., Proxy], sshd: Sshd, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """As after a sleep: nothing was said on the connection meanwhile, so TCP takes it for alive."""
    monkeypatch.setattr("cloudtui_engine.hosts.forward._PROOF_S", 0.5)
    proxy = make_proxy(sshd)
    link = link_to(proxy.port)
    one = forward(serve(digest).port, link=link)
    link.is_up = False
    wait_for(lambda: one.standing().why == "box does not answer.", "that it is told")
    assert not one.standing().is_open
    link.is_up = True
    wait_for(lambda: one.standing().is_open, "the way that is alive to be gone on with")
    assert link.sessions == 1
    proxy.blackhole()
    link.is_up = False
    wait_for(lambda: not one.standing().is_open, "that it is told again")
    link._make = link_to()._make  # by another way, for the one through the proxy is gone for good
    link.is_up = True
    wait_for(lambda: link.sessions == 2 and one.standing().is_open, "a new way")
    with connect(one) as sock:
        sock.sendall(b"x")
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock) == hashlib.sha256(b"x").digest()


def test_it_carries_much(serve: Callable[..., Service], forward: Callable[..., Forward]) -> None:
    data = os.urandom(LARGE)
    one = forward(serve(lambda sock: sock.sendall(data)).port)
    with connect(one) as sock:
        assert hashlib.sha256(everything(sock)).digest() == hashlib.sha256(data).digest()


def test_only_this_machine_can_connect_and_a_taken_port_is_said(
    serve: Callable[..., Service], forward: Callable[..., Forward]
) -> None:
    service = serve(digest)
    one = forward(service.port)  # the service is on this machine: its own port is taken, and any other is had
    assert one.local != service.port
    assert one._listener.getsockname()[0] == "127.0.0.1"
    with pytest.raises(RefusedError, match=r"is taken") as raised:
        forward(service.port, local=one.local)
    assert raised.value.code == "taken"


def test_a_port_where_nothing_listens_is_told(
    serve: Callable[..., Service], forward: Callable[..., Forward]
) -> None:
    service = serve(digest)
    one = forward(service.port)
    service.close()
    with connect(one) as sock, pytest.raises(ConnectionError):
        everything(sock)
    assert one.standing().why == f"Nothing listens at port {service.port} of box."


def test_a_host_key_that_changed_ends_it(forward: Callable[..., Forward]) -> None:
    def refused() -> SshTransport:
        raise HostKeyError("It has changed.", changed=True)

    assert isinstance(forward(80, link=Link(refused)).failed, HostKeyError)


def test_a_host_that_cannot_be_reached_is_waited_for(link_to: Callable[..., Link]) -> None:
    def away() -> SshTransport:
        raise UnreachableError("box does not answer.")

    one = Forward(Link(away), "box", 80)  # type: ignore[arg-type]
    try:
        wait_for(lambda: one.standing().why == "box does not answer.", "its word")
        assert not one.standing().is_open
        assert one.failed is None
    finally:
        one.close()
