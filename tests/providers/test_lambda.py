"""Lambda: the contract before a fake of its published API, and what is Lambda's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import planned
from tests.support.clouds.faults import Fault
from tests.support.clouds.lambda_fake import PUBLIC_KEY, FakeLambda, error

from cloudtui_providers.base import CloudState, Wanted
from cloudtui_providers.errors import AmbiguousError, CapacityError, InvalidOrderError


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLambda]:
    with FakeLambda() as fake:
        monkeypatch.setenv("LAMBDA_API_KEY", fake.secrets[0])
        yield fake


class TestLambda(ProviderContract):
    pass


def test_the_request_is_whole_and_our_key_is_made_known_once(cloud: FakeLambda) -> None:
    order = replace(cloud.order(), user_data="#cloud-config\n{}\n", image="ubuntu-lts")
    asked = planned(cloud.provider, order)["request"]
    assert planned(cloud.provider, order)["request"] == asked
    assert asked == {
        "region_name": order.zone,
        "instance_type_name": order.type,
        "ssh_key_names": [cloud.ssh_keys[1]["name"]],
        "name": "box-1-cloudtui-c0ffee-claunch1-1",
        "image": {"family": "ubuntu-lts"},
        "user_data": order.user_data,
    }
    assert [one["public_key"] for one in cloud.ssh_keys[1:]] == [PUBLIC_KEY]


def test_a_key_that_is_there_is_used_whatever_it_is_called(cloud: FakeLambda) -> None:
    cloud.ssh_keys[0]["public_key"] = PUBLIC_KEY.rpartition(" ")[0] + " somebody@else"
    assert planned(cloud.provider, cloud.order())["request"]["ssh_key_names"] == ["mine"]


def test_without_a_zone_it_goes_where_there_is_one(cloud: FakeLambda) -> None:
    order = replace(cloud.order(), zone="", type="cpu_4x_general")
    assert planned(cloud.provider, order)["request"]["region_name"] == "us-east-1"
    with pytest.raises(CapacityError):
        cloud.provider.plan(replace(order, type="gpu_8x_h100_sxm5"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "gpu_9x"},
        {"disk_gb": 513},
        {"public_key": ""},
        {"user_data": "x" * 1_000_001},
        {"spot": True},
        {"ssh_from": ("192.0.2.0/24",)},
    ],
)
def test_what_cannot_be_is_told_before_anything_is_ordered(
    cloud: FakeLambda, wrong: dict[str, object]
) -> None:
    with pytest.raises(InvalidOrderError):
        cloud.provider.plan(replace(cloud.order(), **wrong))  # type: ignore[arg-type]
    assert cloud.launches() == 0


def test_offers_say_where_there_are_any_now(cloud: FakeLambda) -> None:
    offers = {(one.type, one.zone): one for one in cloud.provider.offers(Wanted())}
    assert {key: one.available for key, one in offers.items()} == {
        ("gpu_1x_a10", "us-west-1"): True,
        ("gpu_1x_a10", "us-east-1"): True,
        ("gpu_8x_h100_sxm5", ""): False,
        ("cpu_4x_general", "us-east-1"): True,
    }
    big = offers["gpu_8x_h100_sxm5", ""]
    assert (big.gpu, big.gpus, big.gpu_memory_bytes >> 30, big.price_usd_per_hour) == ("H100", 8, 80, 23.92)
    assert offers["cpu_4x_general", "us-east-1"].gpu == ""


def test_an_unhealthy_machine_is_paid_for_and_says_so(cloud: FakeLambda) -> None:
    made = cloud.provider.launch(planned(cloud.provider, cloud.order()))
    cloud.rows[made.id]["status"] = "unhealthy"
    (now,) = cloud.provider.machines("global", "").machines
    assert (now.state, now.reason) == (CloudState.RUNNING, "unhealthy")


def test_what_broke_behind_lambda_is_ambiguous_whatever_its_status(
    cloud: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = error(400, "provider/internal-unavailable", "Provider unavailable")
    monkeypatch.setattr(cloud, "answers", {Fault.BROKEN: behind})
    cloud.fail(Fault.BROKEN)
    with pytest.raises(AmbiguousError):
        cloud.provider.launch(planned(cloud.provider, cloud.order()))


def test_a_key_that_is_refused_is_all_there_is_to_say(cloud: FakeLambda) -> None:
    cloud.fail(Fault.AUTH, "*")
    assert [(check.name, check.ok) for check in cloud.provider.check()] == [("credentials", False)]


def test_a_firewall_that_lets_nobody_in_is_missing(cloud: FakeLambda) -> None:
    cloud.rules[0]["port_range"] = [80, 443]
    (missing,) = [check for check in cloud.provider.check() if not check.ok]
    assert (missing.name, "22" in missing.hint) == ("firewall", True)
