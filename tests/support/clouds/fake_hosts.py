"""A real sshd behind each machine of a fake cloud, and an engine that rents at several of them.

`python -m tests.support.clouds.fake_hosts gcp_fake=http://127.0.0.1:1234 ...` is that engine, for the home of
the environment: its providers are the fakes' own, whose machines answer as this user on the port of `Host`.
"""

from __future__ import annotations

import base64
import getpass
import importlib
import itertools
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.clouds.metadata import Metadata
from tests.support.clouds.moto_hosts import PORT, Host

from cloudtui_engine.paths import Paths
from cloudtui_providers.base import Listing, Machine

_numbers = itertools.count()


class FakeHosts:
    """Of one fake cloud: each machine that it makes from now on is one here, with a service of its own.

    Args:
        fake: `FakeGcp`, `FakeAzure` or `FakeAlibaba`.
        folder: for the machines' disks; made.
    """

    def __init__(self, fake: Any, folder: Path) -> None:
        self.fake = fake
        self.name: str = fake.provider.name
        self.made: list[tuple[Host, Metadata]] = []
        """In the order in which they were rented; the newest has the fake's address."""
        self._folder = folder
        self._new = fake._new
        fake._new, fake.moves = self._make, True

    def take_back(self, machine: str) -> None:
        """As the cloud does, at once."""
        self.made[-1][0].stop()
        self.fake.take_back(machine)

    def close(self) -> None:
        for host, metadata in self.made:
            host.stop()
            metadata.__exit__()

    def _make(self, *asked: Any) -> Any:
        made = self._new(*asked)
        metadata = Metadata(self.name)
        folder = self._folder / str(len(self.made) + 1)
        host = Host(folder, _address(), metadata.address, _user_data(asked[-1]), "")
        host.start()
        self.made.append((host, metadata))
        self.fake.address = host.server.address
        return made


def engine(home: dict[str, str], clouds: list[FakeHosts]) -> subprocess.Popen[bytes]:
    """An engine of that home's environment, begun."""
    where = [f"{type(one.fake).__module__.rpartition('.')[2]}={one.fake.endpoint}" for one in clouds]
    with Paths(Path(home["CLOUDTUI_HOME"])).engine_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, *where], cwd=Path(__file__).parents[3], env=home,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip


def _address() -> str:
    """One where nobody listens: other clouds and other tests have their own machines."""
    for number in _numbers:
        address = f"127.78.{os.getpid() % 250 + 1}.{number % 250 + 1}"
        with socket.socket() as sock:
            if sock.connect_ex((address, PORT)) != 0:
                return address
    raise AssertionError("unreachable")


def _user_data(body: dict[str, Any]) -> str:
    """Of a request for a machine, in each cloud's own place."""
    if "UserData" in body:
        return base64.b64decode(body["UserData"]).decode()
    if "properties" in body:
        return base64.b64decode(body["properties"]["osProfile"]["customData"]).decode()
    return str(next(one["value"] for one in body["metadata"]["items"] if one["key"] == "user-data"))


# -- in the engine's process


def main() -> None:
    from cloudtui_engine import engine as made
    from cloudtui_providers import registry

    clouds = {}
    for one in sys.argv[1:]:
        module, _, endpoint = one.partition("=")
        cloud = importlib.import_module(f"tests.support.clouds.{module}").reached(endpoint)
        _lead_here(cloud)
        clouds[cloud.name] = cloud
    registry.provider = clouds.__getitem__
    sys.exit(made.main(Paths(Path(os.environ["CLOUDTUI_HOME"])), foreground=True))


def _lead_here(cloud: Any) -> None:
    """Its machines have no port of ours."""
    machines, find = cloud.machines, cloud.find

    def here(machine: Machine) -> Machine:
        return replace(machine, port=PORT, user=getpass.getuser())

    def listed(region: str, owner: str) -> Listing:
        found = machines(region, owner)
        return replace(found, machines=[here(one) for one in found.machines])

    def found(payload: Any) -> Machine | None:
        one = find(payload)
        return None if one is None else here(one)

    cloud.machines, cloud.find = listed, found


if __name__ == "__main__":
    main()
