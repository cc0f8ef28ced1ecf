"""The user's own ssh: asked once, shared, never logged in behind their back, and no way in for odd names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.engine.hosts import support
from tests.engine.hosts.test_transfer import DEST, contents, on_disk
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd, free_port, make_key, wait_for
from tests.support.typist import answering

from cloudtui_engine.errors import (
    BadInputError,
    HostKeyError,
    LinkTimeoutError,
    LoginNeededError,
    RefusedError,
    UnreachableError,
)
from cloudtui_engine.hosts import master, ssh_words, transfer
from cloudtui_engine.hosts.master import Master
from cloudtui_engine.hosts.transport.openssh import OpenSshTransport
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address

MakeMaster = Callable[..., Master]
MakeSshd = Callable[..., Sshd]
PHRASE = "canary-phrase"
LOG_IN = """
import sys
from pathlib import Path
from tests.engine.hosts import support
from cloudtui_engine.hosts import master
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address
folder = Path(sys.argv[1])
master.of(Paths(folder), Address("box", via="ssh"), "box-2", folder / "ssh_config").log_in_here()
"""


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def accepted(server: Sshd) -> int:
    """How often somebody logged in."""
    return server.log().count("Accepted publickey")


def at_a_terminal(folder: Path, answer: str) -> tuple[int, str]:
    """A person logs in at a terminal of their own and types `answer`; the status, and what they saw."""
    return answering([sys.executable, "-c", LOG_IN, str(folder)], os.environ, "passphrase", answer)


def two_steps(make_sshd: MakeSshd, folder: Path) -> tuple[Sshd, str]:
    """A server that wants two keys, the second one locked, and the configuration's line for that."""
    second = make_key(folder / "second", passphrase=PHRASE)
    server = make_sshd(extra=["AuthenticationMethods publickey,publickey"])
    with server.authorized_keys.open("a") as file:
        file.write(second.with_name("second.pub").read_text())
    return server, f" IdentityFile {second}\n"


# -- asked once


def test_a_login_of_two_steps_asks_once_at_the_terminal_and_never_again_by_itself(
    make_sshd: MakeSshd, make_master: MakeMaster, tmp_path: Path
) -> None:
    server, extra = two_steps(make_sshd, tmp_path)
    box = make_master(server, extra=extra)
    with pytest.raises(LoginNeededError) as raised:
        box.ensure(10)
    assert raised.value.hint == "Log in: cloudtui instance connect box-2"
    status, seen = at_a_terminal(tmp_path, PHRASE)
    assert status == 0, seen
    assert PHRASE not in seen
    transport = OpenSshTransport(box)
    transport.connect(10)
    assert transport.open("echo in", 5).recv(10, 10) == b"in\n"
    tries = server.log().count("Connection from") + server.log().count("Postponed publickey")
    os.kill(master_pid(box), signal.SIGKILL)
    wait_for(lambda: not box.is_up(), "its end")
    for _ in range(2):
        with pytest.raises(LoginNeededError, match="You are not logged in to box-2"):
            transport.connect(10)
    assert subprocess.run(box.command("echo in"), capture_output=True, check=False).returncode == 255
    assert server.log().count("Connection from") + server.log().count("Postponed publickey") == tries


def test_a_wrong_passphrase_is_told_and_leaves_nothing_behind(
    make_sshd: MakeSshd, make_master: MakeMaster, tmp_path: Path
) -> None:
    server, extra = two_steps(make_sshd, tmp_path)
    box = make_master(server, extra=extra + " NumberOfPasswordPrompts 1\n")
    status, seen = at_a_terminal(tmp_path, "canary-wrong")
    assert status == 1
    assert "LoginNeededError" in seen
    assert "canary-wrong" not in seen
    assert not box.is_up()
    assert not [*box.socket.parent.glob(f"{box.socket.name}*.log")]


def master_pid(box: Master) -> int:
    said = subprocess.run(box.control("check"), capture_output=True, text=True, check=True)
    return int(said.stderr.split("pid=")[1].split(")")[0])


def test_a_host_that_needs_nobody_is_logged_in_to_again(make_sshd: MakeSshd, make_master: MakeMaster) -> None:
    server = make_sshd()
    box = make_master(server)
    box.ensure(10)
    box.ensure(10)
    assert accepted(server) == 1
    os.kill(master_pid(box), signal.SIGKILL)
    wait_for(lambda: not box.is_up(), "its end")
    OpenSshTransport(box).connect(10)
    assert accepted(server) == 2
    box.end()
    assert not [*box.socket.parent.glob(f"{box.socket.name}*")]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ('Authenticated to h ([10.0.0.1]:22) using "publickey".', False),
        ('Authenticated to h (via proxy) using "gssapi-with-mic".', False),
        ('Authenticated to h ([10.0.0.1]:22) using "keyboard-interactive".', True),
        (
            'Authenticated using "publickey" with partial success.\nAuthenticated to h using "publickey".',
            True,
        ),
        (
            "debug1: Server accepts key: /home/a/.ssh/id ED25519-SK SHA256:abc authenticator agent\n"
            'Authenticated to h ([10.0.0.1]:22) using "publickey".',
            True,
        ),
    ],
)
def test_what_took_a_person_is_known_from_the_log(log: str, expected: bool) -> None:
    assert ssh_words.needed_a_person(log) is expected


# -- what their ssh decides


def test_an_unknown_host_key_is_their_decision_at_the_terminal(
    sshd: Sshd, make_master: MakeMaster, tmp_path: Path
) -> None:
    box = make_master(sshd)
    (tmp_path / "ssh_known_hosts").write_text("")
    before = accepted(sshd)
    with pytest.raises(LoginNeededError, match="is not known to your ssh"):
        box.ensure(10)
    assert accepted(sshd) == before
    assert (tmp_path / "ssh_known_hosts").read_text() == ""


def test_a_changed_host_key_stops_that_host(make_sshd: MakeSshd, make_master: MakeMaster) -> None:
    server = make_sshd()
    box = make_master(server)
    server.restart(new_host_key=True)
    with pytest.raises(HostKeyError) as raised:
        box.ensure(10)
    assert raised.value.changed
    assert accepted(server) == 0


def test_a_proxy_command_is_followed_and_what_it_says_is_cleaned(
    sshd: Sshd, make_master: MakeMaster, tmp_path: Path
) -> None:
    script = tmp_path / "proxy.py"
    script.write_text(
        "import os, socket, sys, threading\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while b := os.read(0, 65536): s.sendall(b)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while b := s.recv(65536): os.write(1, b)\n"
    )
    box = make_master(sshd, extra=f" ProxyCommand {sys.executable} {script} %h %p\n")
    box.ensure(20)
    assert box.answers()
    box.end()
    nasty = r"printf '\033]0;owned\007\033[31mno way\n' >&2; exit 1"
    with pytest.raises(UnreachableError) as raised:
        make_master(sshd, extra=f" ProxyCommand {nasty}\n").ensure(10)
    assert not any(one in raised.value.message for one in "\033\007")


def test_what_is_wrong_is_told_apart(
    sshd: Sshd, make_master: MakeMaster, make_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match="configuration"):
        make_master(sshd, extra=" NoSuchOption yes\n").ensure(10)
    proxy = make_proxy(sshd)
    proxy.blackhole()
    with pytest.raises(LinkTimeoutError):
        make_master(sshd, port=proxy.port).ensure(1.5)
    with pytest.raises(UnreachableError, match="refused"):
        make_master(sshd, port=free_port()).ensure(10)


# -- faults


def test_a_transfer_that_is_cut_goes_on_over_another_login(
    sshd: Sshd, make_master: MakeMaster, make_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    given = contents(4)
    files = support.local_files(tmp_path / "from", given)
    proxy = make_proxy(sshd)
    transport = OpenSshTransport(make_master(sshd, port=proxy.port))
    root = str(tmp_path / "root")
    proxy.cut_after(1_200_000)
    with pytest.raises(UnreachableError):
        transfer.put(transport, root=root, dest=DEST, files=files)
    result = transfer.put(transport, root=root, dest=DEST, files=files)
    assert 0 < result.sent_bytes < result.total_bytes
    assert on_disk(tmp_path / "root" / DEST) == given
    transport.close()


def test_two_who_connect_at_once_log_in_once(make_sshd: MakeSshd, make_master: MakeMaster) -> None:
    server = make_sshd()
    box = make_master(server)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(box.ensure, [20.0] * 4))
    assert accepted(server) == 1


# -- names are data


@pytest.mark.parametrize(
    ("host", "user"),
    [
        ("-oProxyCommand=touch x", ""),
        ("-F/tmp/x", ""),
        ("box", "-oProxyCommand=touch x"),
        ("box;touch x", ""),
        ("$(touch x)", ""),
        ("box", "a`touch x`"),
        ("box\nProxyCommand x", ""),
        ("", ""),
    ],
)
def test_a_name_that_is_an_option_or_a_command_is_refused(tmp_path: Path, host: str, user: str) -> None:
    with pytest.raises(BadInputError, match="no host"):
        master.of(Paths(tmp_path), Address(host, user, via="ssh"), "box-2")


def test_a_name_is_never_read_as_an_option(tmp_path: Path) -> None:
    box = master.of(Paths(tmp_path), Address("box", via="ssh"), "box-2")
    for words in (box.command("-x"), box.control("check")):
        assert words[words.index("--") + 1] == "box"
    assert not any("StrictHostKeyChecking" in word for word in box.command("true"))


def test_the_folder_of_sockets_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path) if len(str(tmp_path)) < 60 else "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    box = master.of(Paths(tmp_path), Address("box", via="ssh"), "box-2")
    assert box.socket.parent.stat().st_mode & 0o777 == 0o700
    other = master.of(Paths(tmp_path), Address("box", "ada", via="ssh"), "box-2")
    assert other.socket != box.socket
    box.socket.parent.chmod(0o755)
    with pytest.raises(RefusedError, match="only you"):
        master.of(Paths(tmp_path), Address("box", via="ssh"), "box-2")
