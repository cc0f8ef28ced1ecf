"""The AWS on loopback that engine tests launch into: a real sshd behind each instance."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from tests.providers.contract_means import planned
from tests.support.clouds.moto_hosts import PORT
from tests.support.clouds.moto_sshd import REGION, Moto
from tests.support.sshd import make_key, wait_for

from cloudtui_engine.fleet.boot import user_data
from cloudtui_engine.fleet.trust import new_host_key
from cloudtui_providers.base import CloudState, Machine, Order

BY_ITSELF = "Client.InstanceInitiatedShutdown"
pytestmark = [pytest.mark.sshd, pytest.mark.services]


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto(tmp_path_factory.mktemp("moto"), hosts=True) as running:
        yield running


@pytest.fixture
def cloud(sshd_here: None, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    moto.reset()
    return moto


def ssh(machine: Machine, key: Path, known: Path, command: str) -> subprocess.CompletedProcess[str]:
    options = ["-F", "none", "-i", str(key), "-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes"]
    options += ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5"]
    return subprocess.run(
        ["ssh", *options, "-p", str(machine.port), f"{machine.user}@{machine.address}", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def order(cloud: Moto, tmp_path: Path, lifetime_s: int, **more: Any) -> tuple[Order, Path, str]:
    """An order as the engine makes it; our key and what the host will show."""
    ours, host = make_key(tmp_path / "ours"), new_host_key()
    public = ours.with_suffix(".pub").read_text().strip()
    told = user_data(host, public, lifetime_s=lifetime_s)
    return replace(cloud.order(), public_key=public, user_data=told, **more), ours, host.public


def test_an_instance_is_a_host_with_the_key_that_was_given_along(cloud: Moto, tmp_path: Path) -> None:
    wanted, ours, host = order(cloud, tmp_path, 0)
    payload = planned(cloud.provider, wanted)
    made = cloud.provider.launch(payload)
    machine = cloud.provider.find(payload)
    assert machine
    assert (machine.port, machine.address.startswith("127.77.")) == (PORT, True)
    known = tmp_path / "known"
    known.write_text(f"[{machine.address}]:{PORT} {host}\n")
    said = ssh(machine, ours, known, "echo $CLOUDTUI_IMDS")
    assert said.returncode == 0, said.stderr

    notices = f"{said.stdout.strip()}/latest/meta-data/spot/instance-action"
    with pytest.raises(HTTPError, match="404"):
        urlopen(notices, timeout=10)  # noqa: S310 - loopback
    cloud.notice(made.id, "2030-01-01T00:02:00Z")
    with urlopen(notices, timeout=10) as reply:  # noqa: S310
        assert json.load(reply) == {"action": "terminate", "time": "2030-01-01T00:02:00Z"}

    cloud.provider.stop(REGION, made.id)
    assert ssh(machine, ours, known, "true").returncode == 255
    cloud.provider.start(REGION, made.id)
    assert ssh(machine, ours, known, "true").returncode == 0
    cloud.provider.terminate(REGION, made.id)
    assert ssh(machine, ours, known, "true").returncode == 255


@pytest.mark.parametrize(("stops", "state"), [(False, CloudState.TERMINATED), (True, CloudState.STOPPED)])
def test_the_switch_ends_it_with_nobody_there(
    cloud: Moto, tmp_path: Path, stops: bool, state: CloudState
) -> None:
    wanted, _, _ = order(cloud, tmp_path, 2, power_off_stops=stops)
    payload = planned(cloud.provider, wanted)
    cloud.provider.launch(payload)

    def ended() -> bool:
        machine = cloud.provider.find(payload)
        return machine is not None and (machine.state, machine.reason) == (state, BY_ITSELF)

    wait_for(ended, "its time is used up, and it said so", 30)


def test_each_machine_is_a_host_of_its_own_and_ends_with_the_cloud(
    sshd_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Moto(tmp_path / "moto", hosts=True) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        for number in (1, 2):
            cloud.provider.launch(planned(cloud.provider, cloud.order(attempt=number)))
        addresses = {one["address"] for one in cloud.machines()}
        assert [answers(address) for address in addresses] == [True, True]
    assert [answers(address) for address in addresses] == [False, False]


def answers(address: str) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((address, PORT)) == 0
