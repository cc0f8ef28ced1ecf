"""Offers and checks: what a cloud says is kept with its prices; one that fails does not hide the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault
from tests.support.clouds.toy import ToyListed

from cloudtui_engine.errors import RefusedError, UnreachableError
from cloudtui_engine.fleet import due, market
from cloudtui_engine.records.cloud import OFFERS, Offers
from cloudtui_engine.records.instance import LinkState
from cloudtui_providers import registry
from cloudtui_providers.base import Provider, Wanted
from cloudtui_providers.errors import NotInstalledError


@pytest.fixture
def named(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(registry, "names", lambda: ("toy",))
    return world


def test_offers_are_told_by_price_and_their_prices_are_kept(named: World) -> None:
    found = Offers.of(market.offers(named.catalog, "toy", {"gpu": "t4"}), 5.0)
    assert {one.type for one in found.offers} == {"gpu-1"}
    assert found.offers[0].price_usd_per_hour == 0.5
    assert found.asked_at == 5.0
    everything = Offers.of(market.offers(named.catalog, "", {}), 5.0)
    assert [one.price_usd_per_hour for one in everything.offers] == [0.02] * 2 + [0.5] * 2 + [12.0] * 2
    north = everything.offers[0]
    assert (north.region, north.zone, north.zones) == ("north-1", "north-1a", ("north-1a", "north-1b"))
    assert (north.where, everything.offers[1].where) == ("north-1 (2 zones)", "south-1a")
    kept = named.catalog.prices.find("toy", "north-1", "gpu-8", spot=False)
    assert kept is not None
    assert kept.rate == 12_000_000


def test_a_price_that_a_cloud_does_not_say_is_the_one_that_is_known(
    named: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it said before, else the bundled list's: a launch is held against a budget by the same."""
    catalog = named.catalog
    market.offers(catalog, "toy", {})
    silent = [replace(one, price_usd_per_hour=None) for one in named.cloud.provider.offers(Wanted())]
    silent.append(replace(silent[0], provider="aws", region="us-east-1", type="g4dn.xlarge", zone=""))
    silent.append(replace(silent[-1], type="never.seen"))
    monkeypatch.setattr(type(named.cloud.provider), "offers", lambda *_: silent)
    told = {one["type"]: one["price_usd_per_hour"] for one in market.offers(catalog, "toy", {})["offers"]}
    assert told.pop("never.seen") is None
    assert told.pop("g4dn.xlarge") == pytest.approx(0.526)
    assert told
    assert None not in told.values()


def test_no_answer_is_an_error_so_that_the_last_one_stays(named: World) -> None:
    named.cloud.fail(Fault.AUTH, "offers", times=2)
    for name in ("toy", ""):
        with pytest.raises(UnreachableError) as failed:
            market.offers(named.catalog, name, {})
        assert failed.value.code == "auth"
        assert failed.value.hint


def test_one_cloud_that_fails_does_not_hide_the_others(named: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def provider(name: str) -> Provider:
        if name == "nimbus":
            raise NotInstalledError("The library of nimbus is not installed.", "pip install nimbus")
        return named.cloud.provider

    monkeypatch.setattr(registry, "names", lambda: ("nimbus", "toy"))
    monkeypatch.setattr(registry, "provider", provider)
    found = Offers.of(market.offers(named.catalog, "", {"type": "gpu-1"}), 0.0)
    assert {one.provider for one in found.offers} == {"toy"}
    assert [(one.provider, one.code, one.hint) for one in found.problems] == [
        ("nimbus", "not_installed", "pip install nimbus")
    ]


def test_what_a_cloud_can_do_is_known_without_asking_it(make_world: Callable[..., World]) -> None:
    world = make_world(ToyListed)
    known = market.cloud("toy")
    assert known.can["containers"]
    assert not known.can["stop"]
    assert known.token == "listed"
    assert world.cloud.books.calls("offers") == 0


def test_what_cannot_be_used_says_why() -> None:
    assert "nimbus" in market.cloud("nimbus").problem
    with pytest.raises(RefusedError):
        market.check("nimbus")


def test_the_newest_answer_stays(named: World) -> None:
    operations = named.catalog.operations
    asked = {"wanted": {}}
    ids = []
    for _ in range(3):
        one = operations.submit(OFFERS, "toy", asked)
        operations.take(one.id)
        operations.finish(one.id, {"offers": []})
        ids.append(one.id)
    failed = operations.submit(OFFERS, "toy", asked)
    operations.fail(failed.id, {"code": "auth"})
    assert operations.prune_answers(OFFERS, 4e9) == 3
    newest = operations.newest(OFFERS, "toy", asked)
    assert newest is not None
    assert newest.id == ids[-1]
    assert operations.newest(OFFERS, "aws", asked) is None


def test_a_rented_machine_is_looked_at_when_it_first_answers(world: World) -> None:
    box = world.ask()
    world.launch(box)

    def looks() -> list[str]:
        found = due.due(due.read(world.catalog, world.clock))
        return [key for kind, target, key, _ in found if (kind, target) == ("instance.probe", box.id)]

    assert looks() == [], "it does not answer yet"
    world.catalog.instances.update(box.id, link_state=LinkState.UP)
    assert looks() == looks() == [f"instance.probe:{box.id}:first"], "one key, so it is asked once"
    world.catalog.instances.update(box.id, wanted="terminated")
    assert looks() == []
