"""Which keys are known, from our file and from whatever the user's files hold."""

from __future__ import annotations

import base64
import multiprocessing
from pathlib import Path

import pytest
from tests.support.sshd import make_key

from cloudtui_engine.errors import HostKeyError
from cloudtui_engine.hosts.known_hosts import KeyState, KnownHosts, fingerprint

KIND = "ssh-ed25519"


def blob(seed: int, kind: str = KIND) -> bytes:
    """A key as far as this file cares."""
    name = kind.encode()
    return len(name).to_bytes(4, "big") + name + bytes([0, 0, 0, 32]) + bytes([seed]) * 32


def line(host: str, seed: int, kind: str = KIND) -> str:
    return f"{host} {kind} {base64.b64encode(blob(seed, kind)).decode()}\n"


def user_file(folder: Path, text: str) -> KnownHosts:
    path = folder / "user"
    path.write_text(text)
    return KnownHosts(folder / "own", (path,))


def test_a_key_is_unknown_then_known_then_changed(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "sub" / "own", ())
    assert hosts.check("box", 22, KIND, blob(1)) is KeyState.UNKNOWN
    hosts.add("box", 22, KIND, blob(1))
    assert hosts.check("BOX", 22, KIND, blob(1)) is KeyState.KNOWN
    assert hosts.check("box", 22, KIND, blob(2)) is KeyState.CHANGED
    assert hosts.check("box", 2222, KIND, blob(1)) is KeyState.UNKNOWN
    hosts.forget("box", 22)
    assert hosts.check("box", 22, KIND, blob(1)) is KeyState.UNKNOWN


def test_a_key_of_another_type_for_a_known_host_counts_as_changed(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "own", ())
    hosts.add("box", 22, KIND, blob(1))
    assert hosts.check("box", 22, "ssh-rsa", blob(1, "ssh-rsa")) is KeyState.CHANGED


def test_the_users_lines_count_and_bad_ones_do_no_harm(tmp_path: Path) -> None:
    hosts = user_file(
        tmp_path,
        "# comment\n\n@cert-authority *.example.com ssh-ed25519 AAAA\nbroken\nbox ssh-ed25519 !!!notbase64\n"
        + "box ssh-rsa " + base64.b64encode(blob(9)).decode() + "\n"  # says another type than the key itself
        + "\x00\xff\n" + line("a,box,*.lab,!bad.lab", 1) + line("[box]:2222", 2),
    )  # fmt: skip
    assert hosts.check("box", 22, KIND, blob(1)) is KeyState.KNOWN
    assert hosts.check("x.lab", 22, KIND, blob(1)) is KeyState.KNOWN
    assert hosts.check("bad.lab", 22, KIND, blob(1)) is KeyState.UNKNOWN
    assert hosts.check("box", 2222, KIND, blob(2)) is KeyState.KNOWN
    assert hosts.check("box", 2222, KIND, blob(1)) is KeyState.CHANGED
    assert hosts.known_types("box", 22) == [KIND]


def test_names_hashed_by_ssh_keygen_are_matched(tmp_path: Path) -> None:
    import subprocess

    key = make_key(tmp_path / "key")
    kind, text = key.with_name("key.pub").read_text().split()[:2]
    path = tmp_path / "user"
    path.write_text(f"[10.0.0.9]:2201 {kind} {text}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    assert "10.0.0.9" not in path.read_text()
    hosts = KnownHosts(tmp_path / "own", (path,))
    assert hosts.check("10.0.0.9", 2201, kind, base64.b64decode(text)) is KeyState.KNOWN
    assert hosts.check("10.0.0.9", 22, kind, base64.b64decode(text)) is KeyState.UNKNOWN


def test_a_revoked_key_is_refused_even_when_another_line_knows_it(tmp_path: Path) -> None:
    hosts = user_file(tmp_path, line("box", 1) + "@revoked " + line("*", 1))
    assert hosts.check("box", 22, KIND, blob(1)) is KeyState.REVOKED
    with pytest.raises(HostKeyError, match="revoked") as raised:
        hosts.require("box", 22, KIND, blob(1), name="box", accept=[fingerprint(blob(1))])
    assert raised.value.code == "host_key_changed"


def test_an_unknown_key_is_kept_only_when_its_own_fingerprint_is_accepted(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "own", ())
    with pytest.raises(HostKeyError) as raised:
        hosts.require("box", 22, KIND, blob(1), name="box-2")
    assert raised.value.code == "host_key_unknown"
    assert raised.value.fingerprint == fingerprint(blob(1))
    assert raised.value.fingerprint in raised.value.message
    with pytest.raises(HostKeyError, match="not the one that was accepted"):
        hosts.require("box", 22, KIND, blob(1), name="box-2", accept=[fingerprint(blob(2))])
    assert not (tmp_path / "own").exists()
    hosts.require("box", 22, KIND, blob(1), name="box-2", accept=[fingerprint(blob(1))])
    hosts.require("box", 22, KIND, blob(1), name="box-2")


def test_a_changed_key_cannot_be_accepted_over(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "own", ())
    hosts.add("box", 22, KIND, blob(1))
    with pytest.raises(HostKeyError) as raised:
        hosts.require("box", 22, KIND, blob(2), name="box", accept=[fingerprint(blob(2))])
    assert raised.value.changed
    assert hosts.check("box", 22, KIND, blob(1)) is KeyState.KNOWN


def _add_many(path: Path, first: int) -> None:
    hosts = KnownHosts(path, ())
    for number in range(first, first + 25):
        hosts.add(f"box-{number}", 22, KIND, blob(number))


def test_two_processes_add_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "own"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add_many, args=(path, first)) for first in (0, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(path.read_text().splitlines()) == 50


def test_the_fingerprint_is_the_one_that_ssh_prints(tmp_path: Path) -> None:
    import subprocess

    key = make_key(tmp_path / "key")
    printed = subprocess.run(
        ["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True
    ).stdout
    assert (
        fingerprint(base64.b64decode(key.with_name("key.pub").read_text().split()[1])) == printed.split()[1]
    )
