"""Connecting to real servers: what works, and each way of failing told apart."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.hosts import support
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd, free_port, make_key, wait_for

from cloudtui_engine import ssh_config
from cloudtui_engine.errors import AuthError, HostKeyError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.transport import Channel, Transport, backoff
from cloudtui_engine.hosts.transport.keys import Keys, PassphraseError
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.ssh_config import Endpoint

pytestmark = pytest.mark.sshd

Way = Callable[..., Transport]


def read_all(channel: Channel) -> bytes:
    out = b""
    while chunk := channel.recv(65536, 10):
        out += chunk
    return out


def refused(server: Sshd, folder: Path, keys: Keys | None = None, **changes: Any) -> AuthError:
    made = SshTransport(support.endpoint(server, **changes), support.known(folder, server), keys)
    with pytest.raises(AuthError) as raised:
        made.connect(10)
    assert not made.is_alive
    return raised.value


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A real agent; call it with a key to add."""
    path = tmp_path / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))

    def add(key: Path) -> None:
        wait_for(path.exists, "the agent's socket")
        subprocess.run(["ssh-add", "-q", str(key)], check=True)

    yield add
    process.terminate()
    process.wait(20)


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def test_gcm_is_preferred(sshd: Sshd, tmp_path: Path) -> None:
    transport = support.connected(sshd, tmp_path)
    assert transport.cipher == "aes128-gcm@openssh.com"
    transport.close()
    transport.close()
    assert not transport.is_alive
    with pytest.raises(UnreachableError):
        transport.open("true", 5)


def test_a_command_gives_output_stderr_and_status(sshd: Sshd, way: Way) -> None:
    transport = way(sshd)
    transport.connect(10)
    channel = transport.open("echo out; echo err >&2; exit 3", 5)
    assert read_all(channel) == b"out\n"
    assert channel.exit_status(5) == 3
    wait_for(lambda: channel.stderr_text() == "err\n", "its stderr")
    transport.close()
    transport.close()


def test_the_socket_notices_a_dead_peer_and_does_not_delay(sshd: Sshd, tmp_path: Path) -> None:
    transport = support.connected(sshd, tmp_path)
    sock = transport._socket
    assert sock is not None
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15000
    transport.close()


def test_a_server_without_gcm_is_reached_by_ctr(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd(extra=["Ciphers aes256-ctr"])
    transport = support.connected(server, tmp_path)
    assert transport.cipher == "aes256-ctr"
    transport.close()


def test_a_server_with_weak_algorithms_only_is_told(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd(extra=["Ciphers aes128-cbc"])
    with pytest.raises(UnreachableError, match="no secure algorithm"):
        support.transport(server, tmp_path).connect(10)


def test_megabytes_go_both_ways_exactly(sshd: Sshd, way: Way) -> None:
    transport = way(sshd)
    transport.connect(10)
    channel = transport.open("cat", 5)
    sent = os.urandom(3_000_000)
    thread = threading.Thread(target=channel.send, args=(sent, 10))
    thread.start()
    got = b""
    while len(got) < len(sent):
        got += channel.recv(100_000, 10)
    thread.join(20)
    assert got == sent
    transport.close()


def test_stderr_without_end_is_bounded_and_does_not_block(sshd: Sshd, way: Way) -> None:
    transport = way(sshd)
    transport.connect(10)
    channel = transport.open("head -c 5000000 /dev/zero >&2; echo done", 5)
    assert read_all(channel) == b"done\n"
    wait_for(lambda: len(channel.stderr_text()) == 8192, "the first of its stderr")
    transport.close()


def test_a_wait_ends_at_its_deadline(sshd: Sshd, way: Way) -> None:
    transport = way(sshd)
    transport.connect(10)
    channel = transport.open("sleep 30", 5)
    begin = time.monotonic()
    with pytest.raises(LinkTimeoutError):
        channel.recv(10, 0.3)
    assert 0.2 < time.monotonic() - begin < 10
    with pytest.raises(LinkTimeoutError):
        channel.send(b"x" * 20_000_000, 0.3)
    transport.close()


# -- keys


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_each_kind_of_key_file_logs_in(make_sshd: Callable[..., Sshd], tmp_path: Path, kind: str) -> None:
    server = make_sshd(user_key=make_key(tmp_path / "id", kind))
    support.connected(server, tmp_path).close()


def test_a_key_of_the_agent_logs_in(sshd: Sshd, tmp_path: Path, agent: Callable[[Path], None]) -> None:
    agent(sshd.user_key)
    made = support.endpoint(sshd, key_file="", identity_files=(str(tmp_path / "none"),))
    transport = SshTransport(made, support.known(tmp_path, sshd))
    transport.connect(10)
    transport.close()


def test_with_identities_only_the_agents_other_keys_are_not_shown(
    sshd: Sshd, tmp_path: Path, agent: Callable[[Path], None]
) -> None:
    agent(sshd.user_key)
    error = refused(
        sshd, tmp_path, key_file="", identities_only=True, identity_files=(str(tmp_path / "none"),)
    )
    assert "There is no key" in error.message


def test_a_default_identity_logs_in_after_one_that_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    made = support.endpoint(sshd, key_file="", identity_files=(str(other), str(sshd.user_key)))
    transport = SshTransport(made, support.known(tmp_path, sshd))
    transport.connect(10)
    transport.close()


def test_a_locked_key_asks_for_its_passphrase_and_works_with_it(
    make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    key = make_key(tmp_path / "locked", passphrase="canary-secret")
    server = make_sshd(user_key=key)
    error = refused(server, tmp_path)
    assert isinstance(error, PassphraseError)
    assert error.key_file == str(key)
    assert error.code == "auth"
    wrong = refused(server, tmp_path, Keys(passphrase=lambda _path: "canary-wrong"))
    assert isinstance(wrong, PassphraseError)
    assert "wrong" in wrong.message
    assert "canary" not in wrong.message + wrong.hint
    keys = Keys(passphrase=lambda _path: "canary-secret")
    transport = support.transport(server, tmp_path, keys=keys)
    transport.connect(10)
    keys.passphrase = lambda _path: None
    second = transport.second()
    second.connect(10)
    second.close()
    transport.close()


def test_a_locked_key_that_the_agent_holds_needs_no_passphrase(
    make_sshd: Callable[..., Sshd], tmp_path: Path, agent: Callable[[Path], None]
) -> None:
    plain = make_key(tmp_path / "id")
    server = make_sshd(user_key=plain)
    agent(plain)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "secret", "-P", "", "-f", str(plain)],
        check=True,
        capture_output=True,
    )
    support.connected(server, tmp_path).close()


def test_a_refused_key_names_host_user_and_remedy(sshd: Sshd, tmp_path: Path) -> None:
    error = refused(sshd, tmp_path, key_file=str(make_key(tmp_path / "other")))
    assert error.message.startswith("box-2 refused the key")
    assert sshd.user in error.message
    assert "ssh-copy-id" in error.hint


def test_problems_of_the_key_file_are_told_apart(sshd: Sshd, tmp_path: Path) -> None:
    assert "there is no key file" in refused(sshd, tmp_path, key_file=str(tmp_path / "none")).message
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x00\xffnot a key")
    assert "cannot be used" in refused(sshd, tmp_path, key_file=str(junk)).message


def test_a_server_that_takes_no_keys_is_told(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd(extra=["PubkeyAuthentication no"])
    assert "takes no keys" in refused(server, tmp_path).message


def test_a_server_that_wants_more_than_the_key_is_told(
    make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    second = "publickey,publickey"
    server = make_sshd(extra=[f"AuthenticationMethods {second}"])
    error = refused(server, tmp_path)
    assert "asks for more" in error.message
    assert "--via ssh" in error.hint


def test_what_only_ssh_can_do_is_proposed_when_the_login_fails(sshd: Sshd, tmp_path: Path) -> None:
    key = str(make_key(tmp_path / "other"))
    error = refused(sshd, tmp_path, key_file=key, beyond="a FIDO key (~/.ssh/id)")
    assert "a FIDO key" in error.hint
    assert (error.code, "--via ssh" in error.hint) == ("needs_ssh", True)


# -- host keys


def test_an_unknown_host_is_not_logged_in_to_until_accepted(sshd: Sshd, tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "own", ())
    with pytest.raises(HostKeyError) as raised:
        SshTransport(support.endpoint(sshd), hosts).connect(10)
    assert raised.value.fingerprint == sshd.fingerprint
    accepting = SshTransport(support.endpoint(sshd), hosts, accept=[sshd.fingerprint])
    accepting.connect(10)
    accepting.close()
    again = SshTransport(support.endpoint(sshd), hosts)
    again.connect(10)
    again.close()


def test_a_changed_host_key_stops_that_host(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd()
    hosts = support.known(tmp_path, server)
    server.restart(new_host_key=True)
    with pytest.raises(HostKeyError) as raised:
        SshTransport(support.endpoint(server), hosts, accept=[server.fingerprint]).connect(10)
    assert raised.value.code == "host_key_changed"
    assert server.fingerprint in raised.value.message
    assert "Accepted publickey" not in server.log()


def test_the_type_that_is_known_is_asked_for(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    rsa = make_key(tmp_path / "rsa_host", "rsa")
    server = make_sshd(extra=[f"HostKey {rsa}"])
    path = tmp_path / "own"
    public = " ".join(rsa.with_name("rsa_host.pub").read_text().split()[:2])
    path.write_text(f"[{server.address}]:{server.port} {public}\n")
    transport = SshTransport(support.endpoint(server), KnownHosts(path, ()))
    transport.connect(10)
    transport.close()


# -- the way there


def test_a_jump_is_made_and_each_hop_is_checked(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    outer = make_sshd()
    inner = make_sshd(address="127.0.0.2", user_key=outer.user_key)
    config = tmp_path / "config"
    config.write_text(
        f"Host inner\n HostName {inner.address}\n Port {inner.port}\n ProxyJump outer\n"
        f"Host outer\n HostName {outer.address}\n Port {outer.port}\n IdentityFile {outer.user_key}\n"
    )
    end = ssh_config.resolve("inner", outer.user, None, str(outer.user_key), name="box-2", config=config)
    end = dataclasses.replace(end, known_hosts_files=())
    unknown = KnownHosts(tmp_path / "own", ())
    with pytest.raises(HostKeyError, match="outer") as raised:
        SshTransport(end, unknown).connect(10)
    assert raised.value.fingerprint == outer.fingerprint
    with pytest.raises(HostKeyError, match="box-2") as raised:
        SshTransport(end, unknown, accept=[outer.fingerprint]).connect(10)
    assert raised.value.fingerprint == inner.fingerprint
    transport = SshTransport(end, unknown, accept=[inner.fingerprint])
    transport.connect(10)
    assert outer.sessions
    assert inner.sessions
    assert read_all(transport.open("echo through", 5)) == b"through\n"
    transport.close()


def test_a_jump_that_leads_nowhere_is_told(sshd: Sshd, tmp_path: Path) -> None:
    hop = support.endpoint(sshd, name="outer")
    end = Endpoint("box-2", "127.0.0.1", sshd.user, free_port(), key_file=str(sshd.user_key), jumps=(hop,))
    with pytest.raises(UnreachableError, match="gives no way to box-2"):
        SshTransport(end, support.known(tmp_path, sshd)).connect(10)


def fails(folder: Path, host: str, port: int, timeout: float = 5.0) -> UnreachableError:
    end = Endpoint("box-2", host, "ada", port, identity_files=())
    with pytest.raises(UnreachableError) as raised:
        SshTransport(end, KnownHosts(folder / "own", ())).connect(timeout)
    assert raised.value.hint
    return raised.value


def test_a_closed_port_is_told(tmp_path: Path) -> None:
    assert "nothing listens there" in fails(tmp_path, "127.0.0.1", free_port()).message


def test_a_name_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert "cannot be resolved" in fails(tmp_path, "no-such-host.invalid", 22, 20).message


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (b"HTTP/1.0 400 Bad Request\r\n\r\n\x1b[31m", "is not an SSH server"),
        (b"", "closed the connection"),
        (None, "said nothing"),
        (b"SSH-1.5-old\r\n", "ended the connection during the key exchange|no secure algorithm"),
    ],
)
def test_what_is_no_ssh_server_is_told_apart(tmp_path: Path, greeting: bytes | None, expected: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def serve() -> None:
            near, _ = listener.accept()
            taken.append(near)
            if greeting is not None:
                near.sendall(greeting)
                near.close()

        thread = threading.Thread(target=serve)
        thread.start()
        error = fails(tmp_path, "127.0.0.1", listener.getsockname()[1], 1.0)
        thread.join(20)
        for near in taken:
            near.close()
    import re

    assert re.search(expected, error.message), error.message
    assert "\x1b" not in error.message
    assert isinstance(error, LinkTimeoutError) == (greeting is None)


def test_ipv4_is_reached_where_the_first_address_is_dead(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def both(host: str, port: int, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        dead = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", free_port(), 0, 0))
        return [dead, *real("127.0.0.1", port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr("cloudtui_engine.hosts.transport.network.socket.getaddrinfo", both)
    support.connected(sshd, tmp_path).close()


def test_a_server_that_hangs_in_the_key_exchange_is_left_in_time(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]
) -> None:
    proxy = make_proxy(sshd, rate=400)
    begin = time.monotonic()
    with pytest.raises(LinkTimeoutError):
        support.transport(sshd, tmp_path, port=proxy.port).connect(1.0)
    assert time.monotonic() - begin < 10


def test_close_is_quick_while_a_sender_is_stuck(
    sshd: Sshd, way: Way, make_proxy: Callable[..., Proxy]
) -> None:
    proxy = make_proxy(sshd)
    transport = way(sshd, port=proxy.port)
    transport.connect(10)
    channel = transport.open("cat >/dev/null", 5)
    proxy.blackhole()

    def send() -> None:
        with pytest.raises(UnreachableError):
            channel.send(b"x" * 50_000_000, 60)

    stuck = threading.Thread(target=send)
    stuck.start()
    stuck.join(0.3)
    transport.close()
    stuck.join(20)
    assert not stuck.is_alive()


def test_backoff_grows_with_jitter_and_has_an_end() -> None:
    waits = [[backoff(attempt) for _ in range(50)] for attempt in range(12)]
    assert all(0.25 <= wait <= 0.5 for wait in waits[0])
    assert max(waits[11]) <= 30
    assert min(waits[11]) >= 15
    assert len({round(wait, 6) for wait in waits[5]}) > 40


def test_a_connection_keeps_no_key_of_the_users_and_renews_its_own(sshd: Sshd, tmp_path: Path) -> None:
    transport = support.connected(sshd, tmp_path)
    connection = transport._chain[-1]
    assert connection.auth_handler is not None
    assert connection.auth_handler.private_key is None
    connection.renegotiate_keys()
    assert read_all(transport.open("echo yes", 20)) == b"yes\n"
    transport.close()
