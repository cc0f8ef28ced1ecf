"""A real sshd behind each instance of moto: its own loopback address, its own host key and user."""

from __future__ import annotations

import itertools
import os
import re
import socket
import textwrap
from pathlib import Path
from typing import Any

from tests.support.sshd import Sshd

PORT = 2222
PRIVATE_KEY = re.compile(
    r"^[ \t]*-----BEGIN OPENSSH PRIVATE KEY-----.*?-----END OPENSSH PRIVATE KEY-----", re.S | re.M
)
PUBLIC_KEY = re.compile(r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp256) [A-Za-z0-9+/=]+")


class Hosts:
    """The servers of one moto.

    Args:
        folder: for their files; made.
        imds: what a job on them would find as CLOUDTUI_IMDS, with `{}` for the instance.
    """

    def __init__(self, folder: Path, imds: str) -> None:
        self._folder = folder
        self._imds = imds
        self._servers: dict[str, Sshd] = {}
        self._numbers = itertools.count(1)

    def boot(self, instance: Any, user_data: str, public_key: str) -> None:
        """Give it an address and a server that honours its user-data's host key."""
        server = self._server(instance.id, user_data, public_key)
        self._servers[instance.id] = server
        server.start()
        instance.nics[0].public_ip = server.address

    def start(self, instance: Any) -> None:
        """After a stop: the same disk, so the same keys."""
        server = self._servers[instance.id]
        server.start()
        instance.nics[0].public_ip = server.address

    def stop(self, instance: Any) -> None:
        """No server, no address."""
        if server := self._servers.get(instance.id):
            server.stop()
        if instance.nics:
            instance.nics[0].public_ip = None

    def end_all(self) -> None:
        """Every server of this moto."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()

    def _server(self, instance: str, user_data: str, public_key: str) -> Sshd:
        folder = self._folder / instance
        env = {"CLOUDTUI_IMDS": self._imds.format(instance)}
        server = Sshd(folder, address=self._address(), port=PORT, env=env)
        if given := PRIVATE_KEY.search(user_data):
            server.host_key.write_text(textwrap.dedent(given[0]) + "\n")
        may_enter = {public_key, *PUBLIC_KEY.findall(user_data)} - {""}
        server.authorized_keys.write_text("".join(f"{key}\n" for key in sorted(may_enter)))
        return server

    def _address(self) -> str:
        """One where nobody listens: other tests have their own motos."""
        for number in self._numbers:
            address = f"127.77.{os.getpid() % 250 + 1}.{number % 250 + 1}"
            with socket.socket() as sock:
                if sock.connect_ex((address, PORT)) != 0:
                    return address
        raise AssertionError("unreachable")
