"""AWS before moto: the contract, and what is EC2's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import launched, planned
from tests.support.clouds.faults import Fault
from tests.support.clouds.moto_gaps import GPU_AMI, UBUNTU_AMI
from tests.support.clouds.moto_sshd import KEY, REGION, SECRET, Moto

from cloudtui_providers.aws import Aws
from cloudtui_providers.aws.images import usual
from cloudtui_providers.aws.settings import Settings
from cloudtui_providers.aws.types import MachineType
from cloudtui_providers.base import CloudState, Order, Wanted
from cloudtui_providers.errors import (
    CloudUnreachable,
    InvalidOrderError,
    MachineGone,
    PermissionDenied,
    QuotaError,
)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture
def cloud(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    moto.reset()
    return moto


class TestAws(ProviderContract):
    everything = Wanted(type="g4dn.xlarge")  # EC2 has hundreds of types, and moto reads them all each time


def request(cloud: Moto, order: Order) -> dict[str, Any]:
    return dict(planned(cloud.provider, order)["request"])


def rules(cloud: Moto, order: Order, group: str = "") -> list[dict[str, Any]]:
    import boto3

    if not group:
        (group,) = request(cloud, order)["SecurityGroupIds"]
    ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=cloud.endpoint)
    permissions = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    return [
        {"ports": (rule["FromPort"], rule["ToPort"]), "from": {one["CidrIp"] for one in rule["IpRanges"]}}
        for rule in permissions
    ]


class TestTheRequest:
    def test_it_is_single_ends_with_its_disk_and_gives_no_credentials_away(self, cloud: Moto) -> None:
        order = cloud.order()
        asked = request(cloud, replace(order, disk_gb=300))
        assert (asked["ClientToken"], asked["MaxCount"]) == (order.token, 1)
        assert asked["InstanceInitiatedShutdownBehavior"] == "terminate"
        assert asked["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] is True
        assert asked["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 300
        assert asked["MetadataOptions"]["HttpTokens"] == "required"
        assert asked["Placement"] == {"AvailabilityZone": order.zone}
        assert {one["ResourceType"] for one in asked["TagSpecifications"]} >= {"instance", "volume"}

    def test_a_power_off_keeps_the_disk_where_that_is_asked_for_and_can_be(self, cloud: Moto) -> None:
        order = replace(cloud.order(), power_off_stops=True)
        assert request(cloud, order)["InstanceInitiatedShutdownBehavior"] == "stop"
        spot = replace(order, spot=True, max_price=0.2)
        asked = request(cloud, spot)
        assert asked["InstanceInitiatedShutdownBehavior"] == "terminate", "spot that ends cannot be stopped"
        assert asked["InstanceMarketOptions"]["SpotOptions"]["MaxPrice"] == "0.200000"

    def test_the_image_has_drivers_where_there_is_a_gpu_and_is_the_users_where_named(
        self, cloud: Moto
    ) -> None:
        order = cloud.order()
        assert request(cloud, order)["ImageId"] == GPU_AMI
        assert request(cloud, replace(order, type="t3.micro"))["ImageId"] == UBUNTU_AMI
        assert request(cloud, replace(order, image=UBUNTU_AMI))["ImageId"] == UBUNTU_AMI

    @pytest.mark.parametrize(
        ("gpu", "architecture", "part"),
        [
            ("NVIDIA T4", "x86_64", "deeplearning/ami/x86_64"),
            ("NVIDIA T4g", "arm64", "deeplearning/ami/arm64"),
            ("", "arm64", "canonical/ubuntu/server/24.04/stable/current/arm64"),
            ("NVIDIA V100", "x86_64", ""),
            ("AMD Radeon Pro V520", "x86_64", ""),
            ("", "x86_64_mac", ""),
        ],
    )
    def test_the_usual_image_drives_what_it_runs_on(self, gpu: str, architecture: str, part: str) -> None:
        kind = MachineType("x.large", architecture, 4, 1 << 34, gpu, int(bool(gpu)), 1 << 34, spot=True)
        if part:
            assert part in usual(kind)
            return
        with pytest.raises(InvalidOrderError, match="usual image"):
            usual(kind)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "g4dn.huge"},
            {"image": "ami-0fff0fff0fff0fff0"},
            {"image": "/no/such"},
            {"user_data": "x" * 16385},
        ],
    )
    def test_what_cannot_be_is_told_before_anything_is_ordered(
        self, cloud: Moto, wrong: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidOrderError):
            cloud.provider.plan(replace(cloud.order(), **wrong))  # type: ignore[arg-type]
        assert cloud.launches() == 0

    def test_a_quota_that_is_too_small_is_told_before_anything_is_ordered(self, cloud: Moto) -> None:
        cloud.quota(3)
        with pytest.raises(
            QuotaError, match=r"g4dn.xlarge has 4 virtual processors, .* may have 3"
        ) as raised:
            cloud.provider.plan(cloud.order())
        assert "L-DB2E81BA" in raised.value.hint, "where more can be asked for"
        cloud.quota(4)
        assert cloud.provider.plan(cloud.order())

    def test_who_has_moved_is_let_in_without_another_order(
        self, cloud: Moto, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for named in ((), ("198.51.100.7/32",)):
            order = replace(cloud.order(), ssh_from=named)
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "192.0.2.9/32")
            (group,) = request(cloud, order)["SecurityGroupIds"]
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "203.0.113.77/32")
            assert cloud.provider.let_in(order.region, order.owner, named) == "203.0.113.77/32"
            (rule,) = rules(cloud, order, group)
            assert rule["from"] == {*named, "203.0.113.77/32"}

    def test_each_set_of_networks_has_a_group_that_is_open_to_it_alone(self, cloud: Moto) -> None:
        home = replace(cloud.order(), ssh_from=("192.0.2.7/32",))
        both = replace(cloud.order(), ssh_from=("198.51.100.0/24", "192.0.2.7/32"))
        assert rules(cloud, home) == [{"ports": (22, 22), "from": {"192.0.2.7/32"}}]
        assert rules(cloud, both) == [{"ports": (22, 22), "from": {"192.0.2.7/32", "198.51.100.0/24"}}]
        assert rules(cloud, home) == [{"ports": (22, 22), "from": {"192.0.2.7/32"}}], "and not to another's"

    def test_where_none_are_named_it_is_open_to_this_machine_wherever_it_goes_and_to_nobody_else(
        self, cloud: Moto, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = replace(cloud.order(), ssh_from=())
        for address in ("203.0.113.77", "198.51.100.9"):
            monkeypatch.setenv("CLOUDTUI_ADDRESS_URL", f"{cloud.endpoint}/address/{address}")
            assert rules(cloud, order) == [{"ports": (22, 22), "from": {f"{address}/32"}}]
        for unknown in (f"{cloud.endpoint}/address/everywhere", "http://127.0.0.1:9"):
            monkeypatch.setenv("CLOUDTUI_ADDRESS_URL", unknown)
            with pytest.raises(CloudUnreachable, match="public address"):
                cloud.provider.plan(order)

    def test_the_token_is_no_other_orders(self, cloud: Moto) -> None:
        payload = planned(cloud.provider, cloud.order())
        cloud.provider.launch(payload)
        other = {**payload, "request": {**payload["request"], "InstanceType": "g5.xlarge"}}
        with pytest.raises(InvalidOrderError, match="IdempotentParameterMismatch"):
            cloud.provider.launch(other)


class TestWhatAwsTells:
    def test_prices_where_the_list_has_them(self, cloud: Moto) -> None:
        found = cloud.provider.offers(Wanted(type="g4dn.xlarge"))
        assert {offer.price_usd_per_hour for offer in found} == {0.526}
        assert {(offer.gpu, offer.gpus, offer.gpu_memory_bytes >> 30) for offer in found} == {
            ("NVIDIA T4", 1, 16)
        }
        assert len({offer.zone for offer in found}) > 1
        assert {offer.price_usd_per_hour for offer in cloud.provider.offers(Wanted(type="g6.xlarge"))} == {
            None
        }
        assert all(offer.as_of for offer in cloud.provider.offers(Wanted(type="g4dn.xlarge", spot=True)))

    def test_without_a_type_all_that_have_such_a_gpu_are_offered(self, cloud: Moto) -> None:
        found = cloud.provider.offers(Wanted(gpu="a10g"))
        assert {offer.type.partition(".")[0] for offer in found} == {"g5"}
        assert len({offer.type for offer in found}) > 3

    def test_a_region_that_is_shut_to_the_account_hides_no_other(self, cloud: Moto) -> None:
        cloud.fail(Fault.PERMISSION, "DescribeInstanceTypes")
        two = Wanted(type="g4dn.xlarge", regions=(REGION, "us-west-2"))
        assert len({offer.region for offer in cloud.provider.offers(two)}) == 1
        cloud.fail(Fault.PERMISSION, "DescribeInstanceTypes", times=2)
        with pytest.raises(PermissionDenied, match="ec2:DescribeInstanceTypes"):
            cloud.provider.offers(two)

    def test_a_missing_permission_is_named_and_the_others_are_not(self, cloud: Moto) -> None:
        cloud.fail(Fault.PERMISSION, "StopInstances")
        cloud.fail(Fault.PERMISSION, "GetParameter")
        assert [check.name for check in cloud.provider.check() if not check.ok] == [
            "ec2:StopInstances",
            "image",
        ]
        cloud.quota(0)
        missing = [check for check in cloud.provider.check() if not check.ok]
        assert {check.name for check in missing} >= {"quota G and VT", "quota G and VT, spot"}
        assert (cloud.count(), cloud.launches()) == (0, 0)

    def test_a_machine_that_ended_can_be_turned_neither_off_nor_on(self, cloud: Moto) -> None:
        machine, order = launched(cloud)
        cloud.provider.terminate(order.region, machine.id)
        cloud.do("fail", fault="state", on="StopInstances", times=1)
        with pytest.raises(MachineGone):
            cloud.provider.stop(order.region, machine.id)

    def test_its_account_is_known_without_a_permission_and_asked_for_once(self, cloud: Moto) -> None:
        cloud.do("fail", fault="broken", on="GetCallerIdentity", times=1)
        fresh = Aws(Settings(endpoint=cloud.endpoint))
        with pytest.raises(CloudUnreachable):
            fresh.account()
        assert fresh.account() == "123456789012"
        assert cloud.provider.account() == "123456789012"
        cloud.do("fail", fault="auth", on="GetCallerIdentity", times=1)
        assert cloud.provider.account() == "123456789012"

    def test_its_first_start_is_when_it_was_made(self, cloud: Moto) -> None:
        machine, order = launched(cloud)
        cloud.provider.stop(order.region, machine.id)
        cloud.provider.start(order.region, machine.id)
        (now,) = cloud.provider.machines(order.region, order.owner).machines
        assert (now.state, now.created_at) == (CloudState.RUNNING, machine.created_at)
