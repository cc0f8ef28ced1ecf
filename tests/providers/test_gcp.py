"""Google Cloud: the contract before a fake held to its discovery document, and what is Google's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import DEADLINE, LATER, launched, planned
from tests.support.clouds.faults import Fault
from tests.support.clouds.gcp_fake import FakeGcp
from tests.support.clouds.gcp_rows import PROJECT, PUBLIC_KEY, REGION, ZONES

from cloudtui_providers.base import DEADLINE_TAG, LAUNCH_TAG, CloudState, Order, Wanted
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    InvalidOrderError,
    PermissionDenied,
    QuotaError,
)
from cloudtui_providers.gcp import Gcp


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGcp]:
    with FakeGcp(tmp_path) as fake:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(fake.credentials))
        yield fake


class TestGcp(ProviderContract):
    pass


def request(cloud: FakeGcp, order: Order) -> dict[str, Any]:
    return dict(planned(cloud.provider, order)["request"])


class TestTheRequest:
    def test_it_is_single_ends_with_its_disk_and_gives_no_credentials_away(self, cloud: FakeGcp) -> None:
        order = replace(cloud.order(deadline=DEADLINE), user_data="#cloud-config\n{}\n", disk_gb=300)
        payload = planned(cloud.provider, order)
        assert payload == planned(cloud.provider, order), "the same order is the same request"
        asked = payload["request"]
        assert asked["name"] == "box-1-cloudtui-c0ffee-claunch1-1"
        (disk,) = asked["disks"]
        assert (disk["autoDelete"], disk["initializeParams"]["diskSizeGb"]) == (True, "300")
        assert disk["initializeParams"]["sourceImage"].endswith("amd64-with-nvidia-580-v20261101")
        assert asked["labels"][DEADLINE_TAG] == "2030-01-02t03-04-05z"
        metadata = {one["key"]: one["value"] for one in asked["metadata"]["items"]}
        assert metadata["ssh-keys"] == f"ubuntu:{PUBLIC_KEY}"
        assert (metadata["user-data"], metadata["enable-oslogin"]) == (order.user_data, "FALSE")
        assert "serviceAccounts" not in asked

    def test_a_name_that_google_would_not_have_is_left_out(self, cloud: FakeGcp) -> None:
        asked = request(cloud, replace(cloud.order(), name="Grosse Kiste"))
        assert asked["name"] == "cloudtui-c0ffee-claunch1-1"
        assert asked["labels"][LAUNCH_TAG] == "claunch1-1"
        assert "cloudtui-name" not in asked["labels"]

    @pytest.mark.parametrize(
        ("spot", "keeps", "lifetime_s", "action"),
        [
            (False, True, 3600, "STOP"),
            (False, False, 3600, "DELETE"),
            (True, False, 0, "DELETE"),
            (False, True, 0, None),
        ],
    )
    def test_googles_own_limit_is_a_day_behind_the_deadline(
        self, cloud: FakeGcp, spot: bool, keeps: bool, lifetime_s: int, action: str | None
    ) -> None:
        order = replace(cloud.order(spot=spot), power_off_stops=keeps, lifetime_s=lifetime_s)
        asked = request(cloud, order)["scheduling"]
        assert asked.get("instanceTerminationAction") == action
        limit = {"seconds": str(lifetime_s + 86400)} if lifetime_s else None
        assert asked.get("maxRunDuration") == limit
        assert (asked["provisioningModel"], asked["onHostMaintenance"]) == (
            "SPOT" if spot else "STANDARD",
            "TERMINATE",
        )

    def test_accelerators_are_attached_where_there_are_some(self, cloud: FakeGcp) -> None:
        order = replace(cloud.order(), type="n1-standard-8+nvidia-tesla-t4x2", zone="")
        payload = planned(cloud.provider, order)
        assert payload["zone"] == ZONES[1], "the one zone that has them"
        assert payload["request"]["guestAccelerators"] == [
            {"acceleratorType": f"zones/{ZONES[1]}/acceleratorTypes/nvidia-tesla-t4", "acceleratorCount": 2}
        ]
        cloud.provider.launch(payload)
        (machine,) = cloud.provider.machines(REGION, "").machines
        assert machine.type == order.type

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "g2-standard-5"},
            {"type": "n1-standard-8+nvidia-tesla-t4"},
            {"zone": "europe-west4-a"},
            {"image": "projects/others/global/images/none"},
            {"user_data": "x" * (256 * 1024 + 1)},
            {"ssh_from": ("2001:db8::/64",)},
        ],
    )
    def test_what_cannot_be_is_told_before_anything_is_ordered(
        self, cloud: FakeGcp, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidOrderError):
            cloud.provider.plan(replace(cloud.order(), **wrong))
        assert cloud.launches() == 0

    def test_a_project_without_gpus_is_told_before_anything_is_ordered(self, cloud: FakeGcp) -> None:
        cloud.gpus = 0.0
        with pytest.raises(QuotaError, match="g2-standard-4 has 1 GPUs, and the project may have 0"):
            cloud.provider.plan(cloud.order())

    def test_who_is_not_named_is_kept_out_whatever_the_network_itself_lets_in(
        self, cloud: FakeGcp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tag,) = request(cloud, cloud.order())["tags"]["items"]
        let_in, shut = cloud.rules[tag], cloud.rules[f"{tag}-shut"]
        assert (let_in["sourceRanges"], shut["sourceRanges"]) == (["198.51.100.7/32"], ["0.0.0.0/0"])
        assert let_in["priority"] < shut["priority"]
        assert let_in["targetTags"] == shut["targetTags"] == [tag]
        assert shut["denied"] == let_in["allowed"] == [{"IPProtocol": "tcp", "ports": ["22"]}]
        for address in ("203.0.113.77/32", "203.0.113.78/32"):  # this machine, wherever it moves to
            monkeypatch.setattr("cloudtui_providers.here._own", lambda address=address: address)
            (own,) = request(cloud, replace(cloud.order(), ssh_from=()))["tags"]["items"]
            assert cloud.rules[own]["sourceRanges"] == [address]
        assert own != tag

    def test_who_has_moved_is_let_in_without_another_order(
        self, cloud: FakeGcp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for named in ((), ("198.51.100.7/32",)):
            order = replace(cloud.order(), ssh_from=named)
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "192.0.2.9/32")
            (tag,) = request(cloud, order)["tags"]["items"]
            monkeypatch.setattr("cloudtui_providers.here._own", lambda: "203.0.113.77/32")
            assert cloud.provider.let_in(order.region, order.owner, named) == "203.0.113.77/32"
            assert cloud.rules[tag]["sourceRanges"] == sorted([*named, "203.0.113.77/32"])
            assert cloud.rules[f"{tag}-shut"]["sourceRanges"] == ["0.0.0.0/0"]


class TestAnOrderSentTwice:
    def test_the_name_keeps_it_single_when_google_has_forgotten_the_request(self, cloud: FakeGcp) -> None:
        payload = planned(cloud.provider, cloud.order())
        first = cloud.provider.launch(payload)
        cloud.requests.clear()
        assert cloud.provider.launch(payload).id == first.id
        assert cloud.count() == 1

    def test_one_whose_end_nobody_tells_is_looked_for(self, cloud: FakeGcp) -> None:
        payload = planned(cloud.provider, cloud.order())
        cloud.fail(Fault.BROKEN, "wait")
        with pytest.raises(AmbiguousError):
            cloud.provider.launch(payload)
        assert cloud.provider.find(payload) is not None


class TestWhatGoogleTells:
    def test_offers_are_without_prices_zone_by_zone(self, cloud: FakeGcp) -> None:
        found = {(one.type, one.zone): one for one in cloud.provider.offers(Wanted(regions=(REGION,)))}
        assert {zone for _, zone in found} == set(ZONES[:2])
        eight = found["a2-highgpu-8g", ZONES[0]]
        assert (eight.gpu, eight.gpus, eight.gpu_memory_bytes >> 30) == ("NVIDIA A100", 8, 40)
        t4 = found["n1-standard-8+nvidia-tesla-t4", ZONES[1]]
        assert (t4.gpu, t4.gpu_memory_bytes >> 30, t4.price_usd_per_hour) == ("NVIDIA T4", 16, None)
        assert ("n1-standard-8+nvidia-tesla-t4", ZONES[0]) not in found

    def test_one_that_was_taken_back_is_listed_with_its_reason(self, cloud: FakeGcp) -> None:
        machine, order = launched(cloud, spot=True)
        cloud.take_back(machine.id)
        (gone,) = cloud.provider.machines(REGION, order.owner).machines
        assert (gone.id, gone.state, gone.reason, gone.token) == (
            machine.id, CloudState.TERMINATED, "preempted", order.token,
        )  # fmt: skip
        assert cloud.provider.machines("europe-west4", order.owner).machines == []
        assert cloud.provider.machines(REGION, "another").machines == []

    def test_a_zone_elsewhere_that_is_silent_makes_no_listing_incomplete(self, cloud: FakeGcp) -> None:
        launched(cloud)
        cloud.fail(Fault.INCOMPLETE, "machines", times=2)
        assert not cloud.provider.machines(REGION, "").complete
        assert cloud.provider.machines("europe-west4", "").complete

    def test_a_deadline_behind_googles_own_limit_is_refused(self, cloud: FakeGcp) -> None:
        machine, order = launched(cloud, deadline=DEADLINE)
        limit = datetime.now(UTC) + timedelta(hours=1)
        cloud.rows[machine.id]["resourceStatus"] = {"scheduling": {"terminationTimestamp": limit.isoformat()}}
        with pytest.raises(InvalidOrderError, match="while it is off"):
            cloud.provider.set_deadline(REGION, machine.id, LATER, 2 * 3600)
        cloud.provider.set_deadline(REGION, machine.id, LATER, 1800)
        (now,) = cloud.provider.machines(REGION, order.owner).machines
        assert now.tags[DEADLINE_TAG] == LATER

    def test_a_missing_permission_is_named(self, cloud: FakeGcp) -> None:
        cloud.fail(Fault.PERMISSION)
        with pytest.raises(PermissionDenied, match=r"compute\.instances\.create is missing"):
            cloud.provider.launch(planned(cloud.provider, cloud.order()))
        cloud.granted = ["compute.instances.get", "compute.projects.get"]
        missing = {check.name for check in cloud.provider.check() if not check.ok}
        assert "compute.instances.create" in missing
        assert missing.isdisjoint(cloud.granted)
        cloud.gpus = 0.0
        assert "GPUs" in {check.name for check in cloud.provider.check() if not check.ok}

    def test_without_credentials_or_a_project_the_first_check_says_so(
        self, cloud: FakeGcp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
        (said,) = Gcp().check()
        assert (said.name, said.ok, "gcloud auth" in said.hint) == ("credentials", False, True)
        account = cloud.credentials.read_text().replace(f'"project_id": "{PROJECT}", ', "")
        cloud.credentials.write_text(account)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(cloud.credentials))
        with pytest.raises(AuthError, match="No project"):
            Gcp().regions()

    def test_its_account_is_the_project_as_long_as_it_asks_there(
        self, cloud: FakeGcp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert cloud.provider.account() == PROJECT
        cloud.credentials.write_text(cloud.credentials.read_text().replace(PROJECT, "another-project"))
        assert cloud.provider.account() == PROJECT, "and all is asked there until the engine starts anew"
        assert Gcp().account() == "another-project"
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
        with pytest.raises(AuthError):
            Gcp().account()
