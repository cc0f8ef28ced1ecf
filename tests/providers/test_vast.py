"""Vast.ai: the contract before a fake of its published API, and what is Vast.ai's own."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import launched, planned
from tests.support.clouds.faults import Fault
from tests.support.clouds.vast_fake import HOST, OFFERS, PUBLIC_KEY, TYPE, FakeVast, offer

from cloudtui_engine.fleet import boot
from cloudtui_providers.base import CloudState, Wanted
from cloudtui_providers.errors import CapacityError, CloudUnreachable, InvalidOrderError
from cloudtui_providers.packed import packed


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVast]:
    with FakeVast() as fake:
        monkeypatch.setenv("VAST_API_KEY", fake.secrets[0])
        yield fake


class TestVast(ProviderContract):
    pass


def test_the_request_is_whole_and_lets_our_key_into_this_machine_alone(cloud: FakeVast) -> None:
    payload = planned(cloud.provider, replace(cloud.order(), zone=str(HOST), disk_gb=200))
    assert payload == {
        "ask": 7001,
        "type": TYPE,
        "zone": str(HOST),
        "request": {
            "image": "vastai/base-image:@vastai-automatic-tag",
            "label": "box-1-cloudtui-c0ffee-claunch1-1",
            "disk": 200,
            "runtype": "ssh_direct",
            "target_state": "running",
            "cancel_unavail": True,
            "onstart": "mkdir -p ~/.ssh && chmod 700 ~/.ssh"
            f" && echo '{PUBLIC_KEY}' >> ~/.ssh/authorized_keys",
        },
    }
    assert cloud.calls.keys() == {"search"}


def test_the_switch_goes_along_however_long_it_is(cloud: FakeVast) -> None:
    def begins(command: str) -> str:
        order = replace(cloud.order(), start_command=command)
        return str(planned(cloud.provider, order)["request"]["onstart"])

    assert begins("true") == "true"
    switch = boot.start_command(PUBLIC_KEY, lifetime_s=14400)
    assert len(switch) > 4096
    assert begins(switch) == packed(switch)
    with pytest.raises(InvalidOrderError, match="4096 letters"):
        begins(random.Random(7).randbytes(5000).hex())


def test_of_a_machine_nothing_secret_is_asked_for(cloud: FakeVast) -> None:
    launched(cloud)
    asked: list[dict[str, str]] = []
    listed = cloud._machines
    cloud._machines = lambda **asks: (asked.append(asks["query"]), listed(**asks))[1]  # type: ignore[method-assign]
    cloud.provider.machines("global", "")
    assert [{"jupyter_token", "*"} & set(json.loads(one["select_cols"])) for one in asked] == [set()]


def test_an_order_takes_the_cheapest_that_fits_and_lasts(cloud: FakeVast) -> None:
    order = cloud.order()
    assert planned(cloud.provider, order)["ask"] == 7003
    assert planned(cloud.provider, replace(order, disk_gb=200))["ask"] == 7001
    two = replace(order, type="2x RTX 4090")
    assert planned(cloud.provider, two)["ask"] == 7004
    with pytest.raises(CapacityError):
        cloud.provider.plan(replace(two, lifetime_s=7200))
    with pytest.raises(CapacityError, match="machine 6633"):
        cloud.provider.plan(replace(order, zone="6633"))


def test_an_offer_that_is_gone_meanwhile_is_a_matter_of_that_host(cloud: FakeVast) -> None:
    payload = planned(cloud.provider, cloud.order())
    cloud.taken.add(payload["ask"])
    with pytest.raises(CapacityError):
        cloud.provider.launch(payload)
    assert planned(cloud.provider, cloud.order())["ask"] == 7001


@pytest.mark.parametrize(
    "wrong", [{"type": "RTX 4090"}, {"zone": "us-east"}, {"spot": True}, {"ssh_from": ("::/0",)}]
)
def test_what_cannot_be_is_told_before_anything_is_ordered(cloud: FakeVast, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidOrderError):
        cloud.provider.plan(replace(cloud.order(), **wrong))  # type: ignore[arg-type]
    assert cloud.launches() == 0


def test_an_offer_is_one_hosts_machine_with_its_disk_in_the_price(cloud: FakeVast) -> None:
    offers = cloud.provider.offers(Wanted())
    assert [(one.type, one.zone, one.price_usd_per_hour) for one in offers] == [
        (TYPE, "5522", pytest.approx(0.37)),
        (TYPE, str(HOST), pytest.approx(0.42)),
        ("2x RTX 4090", "5522", pytest.approx(0.72)),
        ("8x H100 SXM", "6633", pytest.approx(16.02)),
    ]
    assert (offers[3].gpus, offers[3].gpu_memory_bytes >> 30, offers[3].cpus) == (8, 79, 12)
    assert cloud.provider.offers(Wanted(type="g4dn.xlarge")) == []


def test_of_a_type_the_cheapest_hosts_are_told(cloud: FakeVast, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [offer(8000 + number, number, "RTX 3090", 1, 9.0 - number / 10) for number in range(30)]
    monkeypatch.setattr("tests.support.clouds.vast_fake.OFFERS", (*OFFERS, *many))
    found = cloud.provider.offers(Wanted(gpu="3090"))
    assert [one.zone for one in found] == [str(number) for number in range(29, 19, -1)]
    assert len(cloud.provider.offers(Wanted())) == 14


def test_more_than_a_page_are_listed_and_found_or_it_raises(cloud: FakeVast) -> None:
    payloads = [planned(cloud.provider, cloud.order(launch=f"claunch{number}")) for number in range(30)]
    ids = {cloud.provider.launch(payload).id for payload in payloads}
    cloud.settle()
    listing = cloud.provider.machines("global", "c0ffee")
    assert (listing.complete, {one.id for one in listing.machines}) == (True, ids)
    found = cloud.provider.find(payloads[29])
    assert found
    assert found.token == "claunch29-1"
    for row in cloud.rows.values():
        row["label"] = payloads[0]["request"]["label"]
    cloud.fail(Fault.INCOMPLETE, "machines")
    with pytest.raises(CloudUnreachable):
        cloud.provider.find(payloads[0])


def test_a_machine_that_is_not_the_orders_is_never_found(cloud: FakeVast) -> None:
    launched(cloud)
    cloud.filters = False
    other = planned(cloud.provider, cloud.order(launch="claunch2"))
    assert cloud.provider.find(other) is None, "whatever the cloud makes of the question"


def test_it_is_reached_where_its_host_passes_ssh_on(cloud: FakeVast) -> None:
    made = cloud.provider.launch(planned(cloud.provider, cloud.order()))
    assert cloud.provider.machines("global", "").machines[0].address == ""
    cloud.settle()
    (now,) = cloud.provider.machines("global", "").machines
    assert (now.id, now.address, now.port, now.user) == (made.id, "192.0.2.45", 20000, "root")


@pytest.mark.parametrize(
    ("status", "wanted", "state", "reason"),
    [
        (None, "running", CloudState.PENDING, ""),
        ("loading", "running", CloudState.PENDING, ""),
        ("running", "stopped", CloudState.STOPPING, ""),
        ("exited", "stopped", CloudState.STOPPED, ""),
        ("exited", "running", CloudState.STOPPED, "exited"),
        ("stopped", "running", CloudState.PENDING, ""),
        ("offline", "running", CloudState.RUNNING, "offline"),
        ("frozen", "frozen", CloudState.RUNNING, "frozen"),
        ("hibernating", "running", CloudState.RUNNING, "hibernating"),
    ],
)
def test_what_is_not_known_for_less_is_paid_for(
    cloud: FakeVast, status: str | None, wanted: str, state: CloudState, reason: str
) -> None:
    machine, order = launched(cloud)
    cloud.rows[int(machine.id)] |= {"actual_status": status, "intended_status": wanted}
    (now,) = cloud.provider.machines(order.region, order.owner).machines
    assert (now.state, now.reason) == (state, reason)


@pytest.mark.parametrize("file", ["config/vastai/vast_api_key", ".vast_api_key"])
def test_the_key_is_found_where_its_tool_puts_it(
    cloud: FakeVast, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAST_API_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert [check.ok for check in cloud.provider.check()] == [False]
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(cloud.secrets[0] + "\n")
    assert all(check.ok for check in cloud.provider.check())


def test_offers_are_priced_with_the_disk_that_is_wanted(cloud: FakeVast) -> None:
    small, large = (
        {
            one.zone: one.price_usd_per_hour or 0.0
            for one in cloud.provider.offers(Wanted(type=TYPE, disk_gb=gb))
        }
        for gb in (100, 200)
    )
    assert small[str(HOST)] < large[str(HOST)]
    assert "5522" not in large, "it has no room for that"


def test_a_host_that_costs_more_by_now_is_not_taken(cloud: FakeVast, monkeypatch: pytest.MonkeyPatch) -> None:
    order = replace(cloud.order(), max_price=0.40)
    assert planned(cloud.provider, order)["ask"] == 7003
    dear = [one | {"dph_base": 99.0} for one in OFFERS]
    monkeypatch.setattr("tests.support.clouds.vast_fake.OFFERS", dear)
    with pytest.raises(CapacityError, match=r"for \$0.40 an hour or less"):
        cloud.provider.plan(order)
    monkeypatch.setattr("cloudtui_providers.vast.search._search", lambda *_: [dear[0] | {"dph_total": 99.0}])
    with pytest.raises(CapacityError):  # also where its filter is passed over
        cloud.provider.plan(order)
