"""A host behind a login of two steps, reached by the user's own ssh: asked once, then as any other.

The second step is a key with a passphrase, which plain sshd can ask for; a code or a touch is another prompt
of the same ssh at the same place.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.home import Home, wait_until
from tests.support.sshd import Sshd, make_key
from tests.support.typist import answering

from cloudtui_engine.hosts import master

pytestmark = [pytest.mark.sshd, pytest.mark.services]
PHRASE = "canary-phrase"


@pytest.fixture
def home(tmp_path: Path, make_sshd: Callable[..., Sshd]) -> Iterator[Home]:
    """A home whose ssh has a configuration with `Host far`, and the server that this is."""
    second = make_key(tmp_path / "second", passphrase=PHRASE)
    server = make_sshd(extra=["AuthenticationMethods publickey,publickey"])
    with server.authorized_keys.open("a") as file:
        file.write(second.with_name("second.pub").read_text())
    keys = tmp_path / "keys"
    keys.write_text(server.known_line())
    config = tmp_path / "config"
    config.write_text(
        f"Host far\n HostName {server.address}\n Port {server.port}\n User {server.user}\n"
        f" IdentityFile {server.user_key}\n IdentityFile {second}\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {keys}\n"
    )
    # ssh reads the configuration of the account, not of HOME.
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    ssh.chmod(0o755)
    made = Home(tmp_path / "laptop" / "home", {"PATH": f"{ssh.parent}:{os.environ['PATH']}"})
    yield made
    made.run("instance", "forget", "box")
    made.close()


def at_a_terminal(home: Home, *words: str) -> tuple[int, str]:
    """A command at a terminal of its own, where the passphrase is typed when asked for."""
    return answering([sys.executable, "-m", "cloudtui", *words], home.env, "passphrase", PHRASE)


def kill_master(home: Home) -> None:
    """End the connection, as a network that is gone for long would."""
    box = home.catalog().instances.find("box")
    words = master.of(home.paths, box.address, "box").control("check")
    said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    os.kill(int(said.split("pid=")[1].split(")")[0]), signal.SIGKILL)


def test_a_login_of_two_steps_is_asked_once_and_a_run_goes_on_after_another(home: Home) -> None:
    add = (
        "instance",
        "add",
        "box",
        "--ssh",
        "far",
        "--via",
        "ssh",
        "--root",
        str(home.paths.home.parent / "r"),
    )
    refused = home.run("--json", *add)
    assert (refused.status, refused.json["error"]["code"]) == (4, "needs_login")
    status, seen = at_a_terminal(home, *add)
    assert status == 0, seen
    assert seen.count("Enter passphrase") == 1
    job = ("--", "sh", "-c", "for i in $(seq 200); do echo line $i; sleep 0.1; done")
    run = str(home.json("run", "script", "--on", "box", *job)["id"])
    wait_until(lambda: "line 5" in home.run("run", "logs", run).out, 60, "some lines")
    kill_master(home)
    wait_until(lambda: home.json("instance", "show", "box")["link_state"] == "needs_you", 60, "the question")
    status, seen = at_a_terminal(home, "instance", "connect", "box")
    assert status == 0, seen
    assert seen.count("Enter passphrase") == 1
    wait_until(lambda: home.json("run", "show", run)["status"] == "succeeded", 60, "its end")
    lines = [line for line in home.run("run", "logs", run).out.splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(1, 201)]
    for path in home.paths.home.rglob("*"):
        if path.is_file():
            assert PHRASE.encode() not in path.read_bytes(), path
