"""Alibaba Cloud: the contract before a fake held to its own models, and what is Alibaba's own."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import launched, planned
from tests.support.clouds.alibaba_fake import FakeAlibaba
from tests.support.clouds.alibaba_rows import ACCOUNT, ENVIRONMENT, KEY, REGION, ZONES, error
from tests.support.clouds.faults import Fault

from cloudtui_providers.alibaba import Alibaba
from cloudtui_providers.alibaba.errors import kind_of
from cloudtui_providers.base import CloudState, Order, Wanted
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    CloudUnreachable,
    InvalidOrderError,
    PermissionDenied,
    QuotaError,
    ThrottledError,
)

HOUR = 3600.0


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAlibaba]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with FakeAlibaba() as fake:
        yield fake


def request(cloud: FakeAlibaba, order: Order) -> dict[str, Any]:
    return dict(planned(cloud.provider, order)["request"])


def in_hours(hours: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + hours * HOUR))


def released_in(cloud: FakeAlibaba, machine: str) -> float | None:
    """Hours until Alibaba releases it."""
    at = cloud.rows[machine]["AutoReleaseTime"]
    return (datetime.fromisoformat(at).timestamp() - time.time()) / HOUR if at else None


class TestAlibaba(ProviderContract):
    pass


class TestTheRequest:
    def test_it_is_the_same_each_time_and_marks_machine_and_disk(self, cloud: FakeAlibaba) -> None:
        order = replace(cloud.order(), user_data="#cloud-config\n{}\n", disk_gb=300)
        payload = planned(cloud.provider, order)
        assert payload == planned(cloud.provider, order)
        asked = payload["request"]
        assert base64.b64decode(asked["UserData"]).decode() == order.user_data
        assert {one["Key"]: one["Value"] for one in asked["Tag"]} == order.tags
        assert (asked["SystemDisk"]["Size"], asked["InternetChargeType"]) == ("300", "PayByTraffic")
        assert (asked["ImageId"], asked["ZoneId"]) == ("ubuntu_24_04_x64_20G_alibase_20261018.vhd", ZONES[0])
        assert "SpotStrategy" not in asked
        long = replace(order, launch="l" * 80)
        tokens = {request(cloud, replace(long, attempt=number))["ClientToken"] for number in (1, 2)}
        assert len(tokens | {asked["ClientToken"]}) == 3, "of a long name, too, each attempt has its own"

    def test_without_a_zone_one_is_taken_that_has_the_type(self, cloud: FakeAlibaba) -> None:
        assert request(cloud, replace(cloud.order(), zone=""))["ZoneId"] in ZONES

    def test_spot_has_its_highest_price_where_the_account_pays_in_dollars(self, cloud: FakeAlibaba) -> None:
        order = replace(cloud.order(spot=True), max_price=0.4)
        asked = request(cloud, order)
        assert (asked["SpotStrategy"], asked["SpotPriceLimit"]) == ("SpotWithPriceLimit", 0.4)
        assert request(cloud, replace(order, max_price=None))["SpotStrategy"] == "SpotAsPriceGo"
        cloud.currency = "CNY"
        with pytest.raises(InvalidOrderError, match="CNY"):
            cloud.provider.plan(order)

    def test_ssh_is_let_in_from_the_orders_networks_alone(
        self, cloud: FakeAlibaba, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def let_in(order: Order) -> list[str]:
            rules = cloud.groups[request(cloud, order)["SecurityGroupId"]]["rules"]
            assert {one["PortRange"] for one in rules} == {"22/22"}
            return [one.get("SourceCidrIp") or one["Ipv6SourceCidrIp"] for one in rules]

        assert let_in(cloud.order()) == ["198.51.100.7/32"]
        assert let_in(replace(cloud.order(), ssh_from=("2001:db8::/64",))) == ["2001:db8::/64"]
        for address in ("203.0.113.77/32", "203.0.113.78/32"):  # this machine, wherever it moves to
            monkeypatch.setattr("cloudtui_providers.here._own", lambda address=address: address)
            assert let_in(replace(cloud.order(), ssh_from=())) == [address]
        assert len(cloud.networks) == 2, "one network and one switch, whatever is planned"

    def test_who_has_moved_is_let_in_without_another_order(
        self, cloud: FakeAlibaba, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for named in ((), ("198.51.100.7/32",)):
            order = replace(cloud.order(), ssh_from=named)
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "192.0.2.9/32")
            group = request(cloud, order)["SecurityGroupId"]
            for address in ("203.0.113.77/32", "2001:db8::7/128"):
                monkeypatch.setattr("cloudtui_providers.here._own", lambda address=address: address)
                assert cloud.provider.let_in(order.region, order.owner, named) == address
                rules = cloud.groups[group]["rules"]
                has = {one.get("SourceCidrIp") or one["Ipv6SourceCidrIp"] for one in rules}
                assert has == {*named, address}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "ecs.nothing"},
            {"zone": "us-east-1z"},
            {"image": "acs:windows_95"},
            {"user_data": "x" * 33_000},
        ],
    )
    def test_what_cannot_be_is_told_before_anything_is_ordered(
        self, cloud: FakeAlibaba, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidOrderError):
            cloud.provider.plan(replace(cloud.order(), **wrong))
        assert cloud.launches() == 0


class TestItsOwnLimit:
    def test_it_stands_half_an_hour_behind_the_deadline_and_moves_with_it(self, cloud: FakeAlibaba) -> None:
        machine, order = launched(cloud, deadline=in_hours(4))
        assert released_in(cloud, machine.id) == pytest.approx(4.5, abs=0.05)
        cloud.provider.set_deadline(order.region, machine.id, in_hours(2), 7200)
        assert released_in(cloud, machine.id) == pytest.approx(2.5, abs=0.05)
        cloud.provider.set_deadline(order.region, machine.id, in_hours(0.01), 36)
        assert released_in(cloud, machine.id) == pytest.approx(0.51, abs=0.05), "no sooner than it takes"
        cloud.provider.set_deadline(order.region, machine.id, "", 0)
        assert released_in(cloud, machine.id) is None

    def test_a_stopped_machine_keeps_its_disk(self, cloud: FakeAlibaba) -> None:
        machine, order = launched(cloud, deadline=in_hours(4))
        cloud.provider.stop(order.region, machine.id)
        cloud.settle()
        assert released_in(cloud, machine.id) is None
        cloud.provider.set_deadline(order.region, machine.id, in_hours(1), 3600)
        assert released_in(cloud, machine.id) is None
        cloud.provider.start(order.region, machine.id)
        assert released_in(cloud, machine.id) == pytest.approx(24.0, abs=0.05), "until it is told anew"
        cloud.settle()
        cloud.provider.set_deadline(order.region, machine.id, in_hours(1), 3600)
        cloud.provider.start(order.region, machine.id)
        assert released_in(cloud, machine.id) == pytest.approx(1.5, abs=0.05), "of one that runs it stays"

    @pytest.mark.parametrize("later", ["at once", "when it has stopped"])
    def test_it_is_taken_back_also_from_one_that_stops_already(self, cloud: FakeAlibaba, later: str) -> None:
        """Else the disk of a machine that "stopped, its disk stays" goes half an hour after its deadline."""
        machine, order = launched(cloud, deadline=in_hours(4))
        cloud.fail(Fault.THROTTLE, on="release")
        with pytest.raises(ThrottledError):
            cloud.provider.stop(order.region, machine.id)
        assert (cloud.rows[machine.id]["Status"], released_in(cloud, machine.id) is None) == (
            "Stopping", False
        )  # fmt: skip
        if later == "when it has stopped":
            cloud.settle()
        cloud.provider.stop(order.region, machine.id)
        assert released_in(cloud, machine.id) is None
        cloud.provider.set_deadline(order.region, machine.id, in_hours(5), 5 * 3600)
        assert released_in(cloud, machine.id) is None, "and it does not come with another deadline"

    def test_one_that_switched_itself_off_costs_and_says_so(self, cloud: FakeAlibaba) -> None:
        machine, order = launched(cloud)
        cloud.rows[machine.id] |= {"Status": "Stopped", "StoppedMode": "KeepCharging"}
        (now,) = cloud.provider.machines(REGION, "").machines
        assert (now.state, "paid for" in now.reason, cloud.count()) == (CloudState.RUNNING, True, 1)
        with pytest.raises(InvalidOrderError, match="paid for"):
            cloud.provider.stop(order.region, machine.id)
        assert not cloud.provider.capabilities.power_off_ends


class TestWhatAlibabaTells:
    def test_offers_are_those_of_each_zone_with_the_accounts_prices(self, cloud: FakeAlibaba) -> None:
        cloud.sold_out = {"ecs.gn7-c12g1.12xlarge"}
        found = {(one.type, one.zone): one for one in cloud.provider.offers(Wanted())}
        t4, a100 = found["ecs.gn6i-c4g1.xlarge", ZONES[1]], found["ecs.gn7-c12g1.12xlarge", ZONES[0]]
        assert (t4.gpu, t4.gpus, t4.gpu_memory_bytes >> 30, t4.price_usd_per_hour) == (
            "NVIDIA T4",
            1,
            16,
            0.9,
        )
        assert (a100.gpus, a100.available, t4.available) == (4, False, True)
        (spot, _) = cloud.provider.offers(Wanted(gpu="t4", spot=True))
        assert (spot.spot, spot.price_usd_per_hour) == (True, 0.225)
        cloud.currency = "CNY"
        assert {one.price_usd_per_hour for one in cloud.provider.offers(Wanted())} == {None}

    def test_one_that_is_being_taken_back_says_so(self, cloud: FakeAlibaba) -> None:
        machine, order = launched(cloud, spot=True)
        cloud.rows[machine.id]["OperationLocks"] = {"LockReason": [{"LockReason": "Recycling"}]}
        (now,) = cloud.provider.machines(order.region, order.owner).machines
        assert (now.state, now.reason) == (CloudState.RUNNING, "preempted")

    def test_the_events_of_another_machine_are_not_its_own(self, cloud: FakeAlibaba) -> None:
        machine, order = launched(cloud, spot=True)
        cloud.take_back(f"{machine.id}0")
        assert not cloud.provider.taken_back(order.region, machine.id)

    def test_its_account_is_known_without_a_permission_and_asked_for_once(self, cloud: FakeAlibaba) -> None:
        cloud.fail(Fault.BROKEN, "whose", times=1)
        with pytest.raises(CloudUnreachable):
            cloud.provider.account()
        assert cloud.provider.account() == ACCOUNT
        cloud.fail(Fault.AUTH, "whose")
        assert cloud.provider.account() == ACCOUNT

    def test_a_missing_permission_is_named(self, cloud: FakeAlibaba) -> None:
        cloud.fail(Fault.PERMISSION)
        with pytest.raises(PermissionDenied, match=r"ecs:RunInstances"):
            cloud.provider.launch(planned(cloud.provider, cloud.order()))
        cloud.forbidden = {"ecs:DescribeAvailableResource", "ecs:StopInstance", "ecs:RunInstances"}
        made = dict(cloud.networks)
        missing = {check.name for check in cloud.provider.check() if not check.ok}
        assert (missing, cloud.networks) == (cloud.forbidden, made), "and a dry run makes nothing"

    def test_without_credentials_the_first_check_says_so(
        self, cloud: FakeAlibaba, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ENVIRONMENT:
            if "KEY" in name:
                monkeypatch.delenv(name)
        for name in ("access_key_id", "access_key_secret"):  # as they were when that was loaded
            monkeypatch.setattr(f"alibabacloud_credentials.utils.auth_util.environment_{name}", None)
        monkeypatch.setattr("alibabacloud_credentials.utils.auth_constant.HOME", str(tmp_path))
        (said,) = Alibaba().check()
        assert (said.name, said.ok, "aliyun configure" in said.hint) == ("credentials", False, True)

    def test_new_credentials_count_once_the_old_ones_are_refused(
        self, cloud: FakeAlibaba, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert REGION in cloud.provider.regions()
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", f"{KEY}another")
        assert REGION in cloud.provider.regions()
        cloud.fail(Fault.AUTH, "regions")
        for _ in range(2):
            with pytest.raises(AuthError):
                cloud.provider.regions()

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("QuotaExceed.AfterpayInstance", QuotaError),
            ("Account.Arrearage", QuotaError),
            ("Zone.NotOnSale", CapacityError),
            ("IncorrectInstanceStatus.Initializing", ThrottledError),
            ("LastTokenProcessing", AmbiguousError),
            ("Forbidden.RAM", PermissionDenied),
            ("Forbidden.AccessKeyDisabled", AuthError),
            ("QuotaExceedingly", None),
        ],
    )
    def test_a_code_is_known_by_its_beginning(self, code: str, kind: type[Exception] | None) -> None:
        assert kind_of(code) is kind

    def test_a_token_whose_request_is_under_way_is_looked_for(self, cloud: FakeAlibaba) -> None:
        """A machine may come of that one: nothing else may be asked for before it is known."""
        payload = planned(cloud.provider, cloud.order())
        busy = error(403, "LastTokenProcessing", "The last token request is processing.")
        cloud.answers = {**cloud.answers, Fault.THROTTLE: busy}  # type: ignore[misc]
        cloud.fail(Fault.THROTTLE)
        with pytest.raises(AmbiguousError):
            cloud.provider.launch(payload)
