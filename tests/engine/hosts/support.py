"""What the tests of hosts share."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from tests.support.sshd import Sshd

from cloudtui_engine.hosts import master
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.transfer import LocalFile, RemoteFile
from cloudtui_engine.hosts.transport.keys import Keys
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address
from cloudtui_engine.ssh_config import Endpoint

CONNECT_S = 10.0


def endpoint(server: Sshd, *, port: int | None = None, **changes: Any) -> Endpoint:
    """The endpoint of a server, or of a proxy before it."""
    made = Endpoint("box-2", server.address, server.user, port or server.port, key_file=str(server.user_key))
    return dataclasses.replace(made, **changes)


def known(folder: Path, *servers: Sshd, port: int | None = None) -> KnownHosts:
    """Our file with the keys of these servers; nothing of the user's."""
    path = folder / "known_hosts"
    path.write_text("".join(server.known_line(port) for server in servers))
    return KnownHosts(path, ())


def transport(
    server: Sshd, folder: Path, *, port: int | None = None, keys: Keys | None = None
) -> SshTransport:
    """A transport to a server that is known, not yet connected."""
    return SshTransport(endpoint(server, port=port), known(folder, server, port=port), keys)


def connected(server: Sshd, folder: Path, *, port: int | None = None) -> SshTransport:
    """The same, connected."""
    made = transport(server, folder, port=port)
    made.connect(CONNECT_S)
    return made


def master_of(server: Sshd, folder: Path, *, port: int | None = None, extra: str = "") -> master.Master:
    """The shared connection of the user's own ssh to a server, by an SSH configuration of its own."""
    config, keys = folder / "ssh_config", folder / "ssh_known_hosts"
    keys.write_text(server.known_line(port))
    config.write_text(
        f"Host box\n HostName {server.address}\n Port {port or server.port}\n User {server.user}\n"
        f" IdentityFile {server.user_key}\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {keys}\n GlobalKnownHostsFile /dev/null\n{extra}"
    )
    return master.of(Paths(folder), Address("box", via="ssh"), "box-2", config)


def local_files(folder: Path, contents: dict[str, bytes]) -> list[LocalFile]:
    """Files of ours with these contents."""
    made = []
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        made.append(LocalFile(path, name, len(content), hashlib.sha256(content).hexdigest()))
    return made


def artifacts(root: Path, contents: dict[str, bytes]) -> tuple[str, list[RemoteFile]]:
    """An attempt's artifacts below a host's root, as (base, their list)."""
    base = "jobs/c0abc/a0001/artifacts"
    found = local_files(root / base, contents)
    return base, [RemoteFile(one.path, one.size, one.sha256) for one in found]
