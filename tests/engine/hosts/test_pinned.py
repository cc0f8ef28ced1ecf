"""A machine that we launched is known by the key that was made for it, whatever address it has."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.hosts import support
from tests.support.sshd import Sshd

from cloudtui_engine.errors import HostKeyError
from cloudtui_engine.fleet import trust
from cloudtui_engine.hosts import connect
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.pinned import PinnedKey
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.secret_channel import SecretBox


def take_key(server: Sshd, key: trust.HostKey) -> None:
    """As cloud-init does with the user-data of the order."""
    server.host_key.chmod(0o600)
    server.host_key.write_text(key.private)
    server.host_key.with_name(server.host_key.name + ".pub").write_text(key.public + "\n")


@pytest.mark.sshd
def test_a_launched_machine_is_known_at_the_first_contact_and_its_heir_is_refused(
    make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    paths = Paths(tmp_path / "home")
    server = make_sshd(user_key=trust.key_file(paths))
    server.stop()
    key = trust.new_host_key()
    take_key(server, key)
    server.start()
    address = Address(server.address, server.user, server.port, str(paths.ssh_key))
    instance = Instance("i1", "box-1", "aws", address, root=str(server.root), host_key=key.public)
    secrets = SecretBox(paths)
    transport, _ = connect.connect(paths, secrets, instance)
    second = transport.second()
    second.connect(10)
    second.close()
    transport.close()
    assert not paths.known_hosts.exists(), "the key is the instance's, not the address's"

    server.restart(new_host_key=True)
    with pytest.raises(HostKeyError, match="is not box-1") as raised:
        connect.connect(paths, secrets, instance, accept=[server.fingerprint])
    assert raised.value.changed
    assert raised.value.fingerprint == server.fingerprint
    secrets.close()
    assert server.log().count("Accepted publickey") == 2


@pytest.mark.sshd
def test_what_was_known_of_the_address_makes_no_difference(
    make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = make_sshd()
    of_another = support.known(tmp_path, server)
    endpoint = dataclasses.replace(support.endpoint(server), host_key_alias="box")
    pinned = PinnedKey(trust.new_host_key().public)
    with pytest.raises(HostKeyError):
        SshTransport(support.endpoint(server), of_another, pinned=pinned).connect(10)
    nothing = KnownHosts(tmp_path / "empty", ())
    with_right_one = SshTransport(endpoint, nothing, pinned=PinnedKey(server.host_public))
    with_right_one.connect(10)
    with_right_one.close()


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 ???", "ecdsa-sha2-nistp256 {}"])
def test_a_line_that_is_not_the_key_lets_nobody_pass(line: str) -> None:
    key = trust.new_host_key().public
    blob = base64.b64decode(key.split()[1])
    PinnedKey(key).require("h", 22, "ssh-ed25519", blob, name="box-1")
    with pytest.raises(HostKeyError):
        PinnedKey(line.format(key.split()[1])).require("h", 22, "ssh-ed25519", blob, name="box-1")
    with pytest.raises(HostKeyError):
        PinnedKey(line).require("h", 22, "ssh-ed25519", b"", name="box-1")
