"""AWS on loopback: moto in a process of its own, with a real sshd behind each instance where it is wanted.

with Moto(folder, hosts=True) as moto:
    monkeypatch.setenv(...) for moto.environment   # an engine and its provider speak to it
    moto.fail(Fault.LOSE_ANSWER)
"""

from __future__ import annotations

import contextlib
import getpass
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.support.clouds.faults import ALL_TAGS, Fault, Orders
from tests.support.clouds.moto_hosts import PORT
from tests.support.sshd import free_port

from cloudtui_providers.aws import Aws
from cloudtui_providers.aws.settings import Settings
from cloudtui_providers.base import Order, Provider

REGION = "us-east-1"
KEY = "AKIA7CANARY7ACCESS77"
SECRET = "canary-secret-access-key-31c9"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"


class Moto(Orders):
    """The cloud's side of AWS, as `FakeCloud` has it.

    Args:
        folder: for its files; made.
        hosts: a real sshd behind each instance, on port 2222 of its own address.
    """

    secrets = (KEY, SECRET)
    faults = tuple(Fault)
    carries = ALL_TAGS
    absent = "i-0123456789abcdef0"
    usual = Order("claunch1", 1, "box-1", "c0ffee", "g4dn.xlarge", REGION, f"{REGION}a",
                  public_key=PUBLIC_KEY, user_data="#cloud-config\n", ssh_from=("192.0.2.7/32",))  # fmt: skip

    def __init__(self, folder: Path, *, hosts: bool = False) -> None:
        arguments = [sys.executable, "-m", "tests.support.clouds.moto_process", str(folder)]
        self._process = subprocess.Popen(
            [*arguments, *(["--hosts"] if hosts else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            text=True,
        )
        assert self._process.stdout
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        port = PORT if hosts else 22
        settings = Settings(regions=(REGION,), user=getpass.getuser(), ssh_port=port, endpoint=self.endpoint)
        nobody = f"http://127.0.0.1:{free_port()}"
        self._up, self._down = Aws(settings), Aws(replace(settings, endpoint=nobody))
        self._unreachable = False
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CLOUDTUI_ADDRESS_URL": f"{self.endpoint}/address",
            "CLOUDTUI_AWS_REGIONS": REGION,
            "CLOUDTUI_AWS_USER": settings.user,
            "CLOUDTUI_AWS_SSH_PORT": str(port),
        }
        self.reset()

    def __enter__(self) -> Moto:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(20)

    # -- what the contract suite asks

    @property
    def provider(self) -> Provider:
        return self._down if self._unreachable else self._up

    def fail(self, fault: Fault, on: str = "launch", times: int = 1) -> None:
        if fault is Fault.UNREACHABLE:
            self._unreachable = True
        else:
            self.do("fail", fault=fault, on=on, times=times)

    def heal(self) -> None:
        self._unreachable = False
        self.do("heal")

    def count(self) -> int:
        return sum(one["costs"] for one in self.machines())

    def launches(self) -> int:
        return int(self.do("calls").get("RunInstances", 0))

    def settle(self) -> None:
        self.do("settle")

    def stranger(self) -> None:
        plan = dict(self._up.plan(self.order(launch="stranger")))
        request = {name: one for name, one in plan["request"].items() if name != "TagSpecifications"}
        self._up.launch(plan | {"request": request})

    def forget(self, machine: str) -> None:
        self.do("forget", machine=machine)

    def take_back(self, machine: str) -> None:
        self.do("take_back", machine=machine)

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return next(one["disks"] for one in self.machines() if one["id"] == machine)

    # -- more that tests ask

    def machines(self) -> list[dict[str, Any]]:
        """All instances by the cloud's own books: id, region, state, address, shutdown, disks."""
        found: list[dict[str, Any]] = self.do("machines")
        return found

    def power_off(self, machine: str) -> None:
        """As it does by itself, by its switch or its user."""
        self.do("power_off", machine=machine)

    def notice(self, machine: str, time: str) -> None:
        """That it will be taken back, where AWS tells it: `latest/meta-data/spot/...` of `$CLOUDTUI_IMDS`."""
        self.do("notice", machine=machine, action="terminate", time=time)

    def quota(self, value: float) -> None:
        """How many virtual processors each family may have."""
        self.do("quota", value=value)

    def reset(self) -> None:
        """As new."""
        self._unreachable = False
        self.do("reset", key=KEY)

    def do(self, method: str, **arguments: Any) -> Any:
        """Ask the process itself."""
        told = json.dumps(arguments).encode()
        with urlopen(f"{self.endpoint}/fake/{method}", told, timeout=30) as reply:  # noqa: S310 - loopback
            return json.load(reply)


def reached(endpoint: str) -> Provider:
    """From another process, which has the cloud's `environment`."""
    return Aws(Settings(regions=(REGION,), user=getpass.getuser(), endpoint=endpoint))
