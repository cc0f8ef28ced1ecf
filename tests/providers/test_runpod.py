"""RunPod: the contract before a fake of its published API, and what is RunPod's own."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import launched, planned
from tests.support.clouds.faults import Fault
from tests.support.clouds.runpod_fake import H100, NEW, PUBLIC_KEY, RTX, ZONE, FakeRunPod

from cloudtui_providers.base import CloudState, Wanted
from cloudtui_providers.errors import InvalidOrderError, ThrottledError


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRunPod]:
    with FakeRunPod() as fake:
        monkeypatch.setenv("RUNPOD_API_KEY", fake.secrets[0])
        yield fake


class TestRunPod(ProviderContract):
    pass


def test_the_request_is_whole(cloud: FakeRunPod) -> None:
    asked = planned(cloud.provider, replace(cloud.order(), image="mine:1", type=f"2x {RTX}"))["request"]
    assert asked == {
        "name": "box-1-cloudtui-c0ffee-claunch1-1",
        "image": "mine:1",
        "cloud": "SECURE",
        "gpu": {"id": RTX, "count": 2},
        "disk": 100,
        "ports": ["22/tcp"],
        "startSsh": True,
        "env": {"PUBLIC_KEY": PUBLIC_KEY},
        "dataCenterIds": [ZONE],
    }


def test_the_switch_goes_before_what_the_image_starts_where_that_is_known(
    cloud: FakeRunPod, tmp_path: Path
) -> None:
    order = replace(cloud.order(), start_command=f"echo \"it's\" > '{tmp_path}/began'\n")
    args = str(planned(cloud.provider, order)["request"]["args"])
    assert args.endswith("; exec /start.sh'")
    subprocess.run(shlex.split(args.replace("exec /start.sh", "true")), check=True, timeout=10)
    assert (tmp_path / "began").read_text() == "it's\n"
    assert "args" not in planned(cloud.provider, replace(order, image="mine:1"))["request"]


def test_a_network_that_cannot_be_kept_to_is_refused(cloud: FakeRunPod) -> None:
    with pytest.raises(InvalidOrderError, match=r"192\.0\.2\.0/24"):
        cloud.provider.plan(replace(cloud.order(), ssh_from=("192.0.2.0/24",)))


@pytest.mark.parametrize("wrong", ["4090", f"3x {RTX}", "1x NVIDIA T9000", "1x NVIDIA GeForce RTX 3070"])
def test_a_type_that_cannot_be_is_told_before_anything_is_ordered(cloud: FakeRunPod, wrong: str) -> None:
    with pytest.raises(InvalidOrderError):
        cloud.provider.plan(replace(cloud.order(), type=wrong))
    assert cloud.launches() == 0


def test_offers_are_of_the_secure_cloud_by_data_center_and_count(cloud: FakeRunPod) -> None:
    offers = cloud.provider.offers(Wanted())
    assert {(one.type, one.zone, one.available, one.price_usd_per_hour) for one in offers} == {
        (f"1x {RTX}", ZONE, True, 0.69),
        (f"1x {RTX}", "EU-RO-1", False, 0.69),
        (f"2x {RTX}", ZONE, True, 1.38),
        (f"1x {H100}", "", False, 2.99),
        (f"2x {H100}", "", False, 5.98),
        (f"4x {H100}", "", False, 11.96),
        (f"8x {H100}", ZONE, True, 23.92),
        (f"1x {NEW}", "", False, None),
    }
    assert cloud.provider.offers(Wanted(type="g4dn.xlarge")) == []
    free = cloud.provider.offers(Wanted(type=f"1x {NEW}"))
    assert [one.price_usd_per_hour for one in free] == [None], "0 is no price"


def test_it_is_reached_by_its_own_sshd_once_that_has_a_port(cloud: FakeRunPod) -> None:
    made = cloud.provider.launch(planned(cloud.provider, cloud.order()))
    assert (made.state, made.address) == (CloudState.PENDING, "")
    machine, order = launched(cloud, launch="claunch2")
    (now,) = [one for one in cloud.provider.machines(order.region, "").machines if one.id == machine.id]
    assert (now.address, now.port, now.user) == ("195.26.233.3", 34447, "root")
    assert now.created_at == 1780315200


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [("EXITED", CloudState.STOPPED, "exited"), ("ERROR", CloudState.RUNNING, "error")],
)
def test_what_ended_by_itself_says_so(cloud: FakeRunPod, status: str, state: CloudState, reason: str) -> None:
    machine, order = launched(cloud)
    cloud.rows[machine.id]["status"] = status
    (now,) = cloud.provider.machines(order.region, order.owner).machines
    assert (now.state, now.reason) == (state, reason)


def test_how_long_to_wait_is_passed_on(cloud: FakeRunPod) -> None:
    cloud.fail(Fault.THROTTLE, "machines")
    with pytest.raises(ThrottledError) as raised:
        cloud.provider.machines("global", "")
    assert raised.value.retry_after_s == 12


@pytest.mark.parametrize("text", ['apikey = "{}"', 'apiKey = "{}"', '[default]\napi_key = "{}"\n'])
def test_the_key_is_found_where_its_tools_put_it(
    cloud: FakeRunPod, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNPOD_API_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [check.ok for check in cloud.provider.check()] == [False]
    (tmp_path / ".runpod").mkdir()
    (tmp_path / ".runpod" / "config.toml").write_text(text.format(cloud.secrets[0]))
    assert all(check.ok for check in cloud.provider.check())


def test_a_moment_in_another_form_hides_no_machine(cloud: FakeRunPod) -> None:
    machine, order = launched(cloud)
    cloud.rows[machine.id]["createdAt"] = "2026-06-01 12:00:00 +0000 UTC"
    (now,) = cloud.provider.machines(order.region, order.owner).machines
    assert (now.id, now.created_at) == (machine.id, None)
