"""Azure: the contract before a fake held to Azure's own models, and what is Azure's own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import launched, planned
from tests.support.clouds.azure_fake import FakeAzure
from tests.support.clouds.azure_rows import PUBLIC_KEY, REGION, SUBSCRIPTION, event_row
from tests.support.clouds.faults import Fault

from cloudtui_providers.azure import Azure
from cloudtui_providers.azure.access import Access
from cloudtui_providers.azure.settings import Settings
from cloudtui_providers.base import CloudState, Order, Wanted
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    InvalidOrderError,
    PermissionDenied,
)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAzure]:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
    with FakeAzure() as fake:
        yield fake


class TestAzure(ProviderContract):
    pass


def request(cloud: FakeAzure, order: Order) -> dict[str, Any]:
    return dict(planned(cloud.provider, order)["request"])


class TestTheRequest:
    def test_disk_interface_and_address_are_made_and_end_with_it(self, cloud: FakeAzure) -> None:
        order = replace(cloud.order(), user_data="#cloud-config\n{}\n", disk_gb=300)
        payload = planned(cloud.provider, order)
        assert payload == planned(cloud.provider, order), "the same order is the same request"
        assert payload["name"] == "box-1-cloudtui-c0ffee-claunch1-1"
        asked = payload["request"]["properties"]
        disk = asked["storageProfile"]["osDisk"]
        assert (disk["deleteOption"], disk["diskSizeGB"]) == ("Delete", 300)
        (interface,) = asked["networkProfile"]["networkInterfaceConfigurations"]
        (inner,) = interface["properties"]["ipConfigurations"]
        address = inner["properties"]["publicIPAddressConfiguration"]
        assert interface["properties"]["deleteOption"] == address["properties"]["deleteOption"] == "Delete"
        assert interface["tags"] == address["tags"] == payload["request"]["tags"] == order.tags
        assert base64.b64decode(asked["osProfile"]["customData"]).decode() == order.user_data
        (key,) = asked["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"]
        assert (key["keyData"], asked["storageProfile"]["imageReference"]["version"]) == (
            PUBLIC_KEY,
            "22.04.2026110100",
        )

    def test_spot_is_deleted_when_it_is_taken_back_and_has_its_price(self, cloud: FakeAzure) -> None:
        asked = request(cloud, replace(cloud.order(spot=True), max_price=0.2))["properties"]
        assert (asked["priority"], asked["evictionPolicy"], asked["billingProfile"]) == (
            "Spot",
            "Delete",
            {"maxPrice": 0.2},
        )
        assert "priority" not in request(cloud, cloud.order())["properties"]

    def test_ssh_is_let_in_from_the_orders_networks_alone(
        self, cloud: FakeAzure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def let_in(order: Order) -> list[str]:
            profile = request(cloud, order)["properties"]["networkProfile"]
            (interface,) = profile["networkInterfaceConfigurations"]
            group = cloud.made[interface["properties"]["networkSecurityGroup"]["id"]]
            (rule,) = group["properties"]["securityRules"]
            assert rule["properties"]["destinationPortRange"] == "22"
            return list(rule["properties"]["sourceAddressPrefixes"])

        assert let_in(cloud.order()) == ["198.51.100.7/32"]
        for address in ("203.0.113.77/32", "203.0.113.78/32"):  # this machine, wherever it moves to
            monkeypatch.setattr("cloudtui_providers.here._own", lambda address=address: address)
            assert let_in(replace(cloud.order(), ssh_from=())) == [address]

    def test_who_has_moved_is_let_in_without_another_order(
        self, cloud: FakeAzure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for named in ((), ("198.51.100.7/32",)):
            order = replace(cloud.order(), ssh_from=named)
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "192.0.2.9/32")
            profile = request(cloud, order)["properties"]["networkProfile"]
            (interface,) = profile["networkInterfaceConfigurations"]
            group = interface["properties"]["networkSecurityGroup"]["id"]
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "203.0.113.77/32")
            assert cloud.provider.let_in(order.region, order.owner, named) == "203.0.113.77/32"
            (rule,) = cloud.made[group]["properties"]["securityRules"]
            assert rule["properties"]["sourceAddressPrefixes"] == sorted([*named, "203.0.113.77/32"])
        monkeypatch.setattr("cloudtui_providers.here._own", lambda: "2001:db8::7/128")
        with pytest.raises(InvalidOrderError, match="2001:db8::7"):
            cloud.provider.let_in(order.region, order.owner, named)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "Standard_NC5"},
            {"zone": "3"},
            {"image": "ubuntu"},
            {"image": "nobody:nothing:none"},
            {"public_key": ""},
            {"user_data": "x" * 50_000},
            {"ssh_from": ("2001:db8::/64",)},
            {"type": "Standard_ND96asr_v4", "spot": True},
        ],
    )
    def test_what_cannot_be_is_told_before_anything_is_ordered(
        self, cloud: FakeAzure, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidOrderError):
            cloud.provider.plan(replace(cloud.order(), **wrong))
        assert cloud.launches() == 0


class TestOneThatCannotBePlaced:
    def test_what_is_left_of_it_is_deleted_before_that_is_told(self, cloud: FakeAzure) -> None:
        cloud.fail(Fault.CAPACITY)
        with pytest.raises(CapacityError, match="AllocationFailed"):
            cloud.provider.launch(planned(cloud.provider, cloud.order()))
        assert cloud.rows == {}

    def test_what_cannot_be_deleted_is_not_called_gone(self, cloud: FakeAzure) -> None:
        payload = planned(cloud.provider, cloud.order())
        cloud.fail(Fault.CAPACITY)
        cloud.fail(Fault.BROKEN, "terminate")
        with pytest.raises(AmbiguousError):
            cloud.provider.launch(payload)
        found = cloud.provider.find(payload)
        assert found
        assert (found.state, found.reason) == (CloudState.STOPPED, "AllocationFailed")

    def test_one_whose_end_nobody_tells_is_left_alone(self, cloud: FakeAzure) -> None:
        payload = planned(cloud.provider, cloud.order())
        cloud.fail(Fault.BROKEN, "find")
        with pytest.raises(AmbiguousError):
            cloud.provider.launch(payload)
        assert cloud.provider.find(payload) is not None


class TestWhatAzureTells:
    def test_one_that_a_person_has_deleted_was_not_taken_back(self, cloud: FakeAzure) -> None:
        machine, order = launched(cloud, spot=True)
        cloud.evicted = [event_row(machine.id, "delete"), event_row(f"{machine.id}0", "evictSpotVM/action")]
        failed = event_row(machine.id, "evictSpotVM/action")
        cloud.evicted.append(failed | {"status": {"value": "Failed", "localizedValue": "Failed"}})
        cloud.forget(machine.id)
        assert not cloud.provider.taken_back(order.region, machine.id)

    def test_one_that_is_only_switched_off_costs_and_says_so(self, cloud: FakeAzure) -> None:
        machine, _ = launched(cloud)
        cloud.power[machine.id] = "stopped"
        (now,) = cloud.provider.machines(REGION, "").machines
        assert (now.state, now.reason, cloud.count()) == (CloudState.RUNNING, "stopped", 1)
        assert not cloud.provider.capabilities.power_off_ends

    def test_offers_are_those_of_the_subscription_zone_by_zone(self, cloud: FakeAzure) -> None:
        found = {(one.type, one.zone): one for one in cloud.provider.offers(Wanted())}
        t4, a100 = found["Standard_NC4as_T4_v3", "1"], found["Standard_ND96asr_v4", "2"]
        assert (t4.gpu, t4.gpus, t4.gpu_memory_bytes >> 30) == ("NVIDIA T4", 1, 16)
        assert (a100.gpu, a100.gpus, a100.gpu_memory_bytes >> 30) == ("NVIDIA A100", 8, 40)
        cloud.restrictions = [{"type": "Zone", "restrictionInfo": {"zones": ["2"]}}]
        assert {one.zone for one in cloud.provider.offers(Wanted())} == {"1"}
        cloud.restrictions = [{"type": "Location", "values": [REGION]}]
        assert cloud.provider.offers(Wanted()) == []

    def test_machines_of_other_groups_and_regions_are_none_of_ours(self, cloud: FakeAzure) -> None:
        machine, order = launched(cloud)
        assert cloud.provider.machines("westeurope", "").machines == []
        row = cloud.rows[machine.id]
        row["id"] = row["id"].replace("CLOUDTUI", "OTHER", 1)
        assert cloud.provider.machines(REGION, order.owner).machines == []

    def test_a_role_that_may_not_look_into_the_group_sees_no_empty_list(self, cloud: FakeAzure) -> None:
        machine, order = launched(cloud)
        cloud.narrow = True
        with pytest.raises(PermissionDenied):
            cloud.provider.machines(REGION, order.owner)
        cloud.narrow, cloud.no_group = False, True
        assert cloud.provider.machines(REGION, order.owner).complete, "where there is no group there is none"
        cloud.no_group = False
        assert [one.id for one in cloud.provider.machines(REGION, order.owner).machines] == [machine.id]

    def test_a_missing_permission_is_named(self, cloud: FakeAzure) -> None:
        cloud.fail(Fault.PERMISSION)
        with pytest.raises(PermissionDenied, match=r"Microsoft\.Compute/virtualMachines/write is missing"):
            cloud.provider.launch(planned(cloud.provider, cloud.order()))
        cloud.grants = [{"actions": ["*/read", "Microsoft.Network/*"], "notActions": ["*/join/action"]}]
        cloud.registration = "NotRegistered"
        missing = {check.name for check in cloud.provider.check() if not check.ok}
        assert missing >= {"Microsoft.Compute", "Microsoft.Compute/virtualMachines/write"}
        assert "Microsoft.Network/virtualNetworks/subnets/join/action" in missing
        assert "Microsoft.Network/virtualNetworks/write" not in missing

    def test_the_subscription_is_azs_own_and_its_absence_is_told(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("AZURE_SUBSCRIPTION_ID", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(AuthError, match="No subscription"):
            Access().subscription()
        (tmp_path / ".azure").mkdir()
        profile = {"subscriptions": [{"id": "a"}, {"id": "b", "isDefault": True}]}
        (tmp_path / ".azure" / "azureProfile.json").write_text(json.dumps(profile), encoding="utf-8-sig")
        assert Access().subscription() == "b"

    def test_its_account_is_the_subscription_and_the_group_that_it_looks_into(
        self, cloud: FakeAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        before = cloud.provider.account()
        assert SUBSCRIPTION in before
        assert Azure(Settings(group="Other")).account() not in {"", before}
        monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION.replace("1", "9"))
        assert cloud.provider.account() == before, "and all is asked there until the engine starts anew"
        assert Azure().account() not in {"", before}
        monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(AuthError):
            Azure().account()

    def test_without_credentials_the_first_check_says_so(
        self, cloud: FakeAzure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from azure.core.exceptions import ClientAuthenticationError

        class Refused:
            def get_token(self, *_: str) -> None:
                raise ClientAuthenticationError("tenant canary-tenant")

        (said,) = Azure(access=Access(Refused())).check()
        assert (said.name, said.ok, "az login" in said.hint) == ("credentials", False, True)
        assert "canary" not in f"{said.text}{said.hint}"
