"""From an instance to a session: the right transport, its keys, its root."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from cloudtui_engine import ssh_config
from cloudtui_engine.hosts import master
from cloudtui_engine.hosts.keeper import Connect
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.pinned import PinnedKey
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.keys import Keys
from cloudtui_engine.hosts.transport.local import LocalTransport
from cloudtui_engine.hosts.transport.openssh import OpenSshTransport
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance

CONNECT_S = 20.0


class Secrets(Protocol):
    """Where passphrases come from: the engine's memory, or the person at a terminal."""

    def get(self, subject: str) -> dict[str, str]:
        """What was told for this instance: `passphrase`, or nothing."""
        ...


def connect(
    paths: Paths, secrets: Secrets, instance: Instance, accept: Collection[str] = ()
) -> tuple[Transport, Callable[..., Session]]:
    """A connected transport and what opens a session over it.

    Args:
        paths: the home, for our known hosts.
        secrets: where a key's passphrase is held, under the instance's id.
        instance: where to.
        accept: fingerprints that the user has confirmed, to be kept for hosts that were unknown.

    Raises:
        HostKeyError: an unknown key that is not accepted, or a changed one.
        AuthError: the host will not have us; PassphraseError where a passphrase is missing, LoginNeededError
            where a person has to log in.
        UnreachableError: it could not be reached.
    """
    transport = _transport(paths, secrets, instance, accept)
    transport.connect(CONNECT_S)
    return transport, partial(Session, transport, root_of(paths, instance))


def connector(paths: Paths, secrets: Secrets) -> Connect:
    """`connect` for the links: nobody is there to accept a key."""
    return lambda instance: connect(paths, secrets, instance)


def root_of(paths: Paths, instance: Instance) -> str:
    """The folder on the host that is ours; empty leaves it to the host's default."""
    if instance.root:
        return instance.root
    return str(paths.local_root) if instance.provider == "local" else ""


def _transport(paths: Paths, secrets: Secrets, instance: Instance, accept: Collection[str]) -> Transport:
    if instance.provider == "local":
        return LocalTransport(instance.name)
    address = instance.address
    if address.via == "ssh":
        return OpenSshTransport(master.of(paths, address, instance.name))
    endpoint = ssh_config.resolve(
        address.host, address.user, address.port or None, address.key_file, name=instance.name
    )
    keys = Keys(passphrase=lambda _path: secrets.get(instance.id).get("passphrase"))
    pinned = PinnedKey(instance.host_key) if instance.host_key else None
    return SshTransport(endpoint, KnownHosts(paths.known_hosts), keys, accept, pinned)
