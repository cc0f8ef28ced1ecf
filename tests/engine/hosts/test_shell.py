"""A shell on a real server, typed at in a real pty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.sshd import Sshd, wait_for
from tests.support.typist import Typist

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.hosts.shell import line_of
from cloudtui_engine.hosts.terminal import Escapes
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance

Start = Callable[..., Typist]


@pytest.mark.parametrize(
    ("typed", "sent", "asked"),
    [
        (b"ls\r~.rest", b"ls\r", "leave"),
        (b"~.", b"", "leave"),
        (b"a~.b", b"a~.b", ""),
        (b"\r~~.", b"\r~.", ""),
        (b"\n~?x", b"\nx", "help"),
        (b"~/bin\r", b"~/bin\r", ""),
    ],
)
def test_escapes_are_those_of_ssh_however_the_keys_come(typed: bytes, sent: bytes, asked: str) -> None:
    assert Escapes().feed(typed) == (sent, asked)
    one_by_one, found, out = Escapes(), "", b""
    for byte in typed:
        part, said = one_by_one.feed(bytes([byte]))
        out, found = out + part, found or said
        if said == "leave":
            break
    assert (out, found) == (sent, asked)


def test_one_word_is_a_line_and_several_stay_words() -> None:
    assert line_of(["ls | wc -l"]) == "ls | wc -l"
    assert line_of(["touch", "a b", "$HOME"]) == "touch 'a b' '$HOME'"


@pytest.fixture
def home(tmp_path: Path, sshd: Sshd) -> Path:
    """A home that knows the server as `box`, by a pinned key as `ours`, and by a wrong one as `other`."""
    folder = tmp_path / "home"
    address = Address(sshd.address, sshd.user, sshd.port, str(sshd.user_key))
    wrong = (sshd.user_key.with_name(sshd.user_key.name + ".pub")).read_text()
    paths = Paths(folder)
    paths.home.mkdir()
    paths.known_hosts.write_text(sshd.known_line())
    catalog = Catalog.open(paths)
    for name, pinned in (("box", ""), ("ours", sshd.host_public), ("other", wrong)):
        row = Instance(id=name, name=name, provider="ssh", address=address, host_key=pinned, created_at=1.0)
        catalog.instances.add(row)
    catalog.close()
    return folder


def words(home: Path, name: str, *command: str) -> list[str]:
    return [sys.executable, "-m", "cloudtui_engine.hosts.shell", "--home", str(home), name, *command]


def environment(home: Path) -> dict[str, str]:
    env = {**os.environ, "HOME": str(home.parent)}
    env.pop("SSH_AUTH_SOCK", None)
    return env


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    begun: list[Typist] = []

    def make(*given: str, **options: Any) -> Typist:
        begun.append(Typist(words(home, *given), environment(home), **options))
        return begun[-1]

    yield make
    for typist in begun:
        typist.close()


def test_a_terminal_there_with_its_size_its_keys_and_its_exit_status(start: Start) -> None:
    typist = start("ours", size=(91, 31))
    typist.type("PS1='> '; stty size; tty\r")
    typist.until("31 91")
    typist.until("/dev/pts/")  # so keys count for the host's idle limit
    typist.resize(77, 22)
    typist.type("until [ \"$(stty size)\" = '22 77' ]; do sleep .02; done; echo re''sized\r")
    typist.until("resized")
    typist.type("sh -c 'echo wai\"\"ts; exec sleep 60'\r")  # one job: whom ctrl+c ends has begun
    typist.until("waits")
    assert typist.is_raw()
    typist.type("\x03")
    typist.type("echo sta''tus $?\r")
    typist.until("status 130")
    typist.type("exit 9\r")
    assert typist.end() == 9
    assert not typist.is_raw()


def test_a_server_that_dies_in_the_middle_gives_the_terminal_back_and_says_so(
    start: Start, make_sshd: Callable[..., Sshd], home: Path
) -> None:
    server = make_sshd()
    catalog = Catalog.open(Paths(home))
    address = Address(server.address, server.user, server.port, str(server.user_key))
    catalog.instances.update("ours", address=address, host_key=server.host_public)
    catalog.close()
    typist = start("ours")
    typist.type("printf '\\033[?1049h'; echo up''set; sleep 60\r")
    typist.until("upset")
    server.kill_sessions()
    typist.until("\x1b[?1047l")  # out of the full-screen program that was there
    typist.until("The connection to ours was lost.")
    assert typist.end() == 6
    assert not typist.is_raw()


def test_without_a_terminal_it_is_a_command_with_pipes(home: Path) -> None:
    done = subprocess.run(
        words(home, "box", "cat; echo oops >&2; exit 7"), input=b"x" * 300_000, capture_output=True,
        env=environment(home), timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, len(done.stdout), done.stderr) == (7, 300_000, b"oops\n")


def test_another_host_key_is_never_talked_to(home: Path, sshd: Sshd) -> None:
    read, write = os.pipe()
    shell = words(home, "other")
    shell[3:3] = ["--report", str(write)]
    logins = sshd.log().count("Accepted publickey")
    process = subprocess.Popen(shell, stdin=subprocess.DEVNULL, pass_fds=(write,), env=environment(home))
    os.close(write)
    with os.fdopen(read) as report:
        said = json.load(report)
    assert process.wait(30) == 4
    assert said["code"] == "host_key_changed"
    assert sshd.log().count("Accepted publickey") == logins


def test_an_unknown_key_is_a_question_and_no_is_no(start: Start, home: Path, sshd: Sshd) -> None:
    Paths(home).known_hosts.unlink()
    typist = start("box")
    assert sshd.fingerprint in typist.until("[y/N]")
    typist.type("n\r")
    assert typist.end() == 4
    assert not Paths(home).known_hosts.exists()
    wait_for(lambda: sshd.sessions == 0, "its sessions to end")
