"""A machine costs no more than budgets and limits were asked for, whatever prices do in between."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.toy import ToyCloud
from tests.support.clouds.toy_rows import SPOT_SHARE

from cloudtui_engine.errors import CloudtuiError, UsageError
from cloudtui_engine.fleet import attempts, orders
from cloudtui_engine.money.amounts import micro
from cloudtui_engine.money.prices import Price
from cloudtui_engine.records.launch import AttemptState, Wish
from cloudtui_providers.base import Offer, Order, Payload

HOUR_S = 3600
OFFER = Offer("toy", "north-1", "north-1a", "gpu-1", "Toy T4", 1, 0, 8, 0, 0.5)


def listed_at(world: World, usd: float, *, spot: bool = False) -> None:
    """The newest price that is known here, before a cloud is asked."""
    price = Price("toy", "north-1", "gpu-1", spot, micro(usd), "2026-01-01", "toy")
    world.catalog.prices.refresh([price])


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """What the cloud is asked for."""
    seen: list[Order] = []
    real = ToyCloud.plan

    def plan(self: ToyCloud, order: Order) -> Payload:
        seen.append(order)
        return real(self, order)

    monkeypatch.setattr(ToyCloud, "plan", plan)
    return seen


@pytest.mark.parametrize(("usd", "fits"), [(2.05, True), (1.95, False)])
def test_a_budget_is_asked_again_with_the_price_that_it_really_has(
    world: World, usd: float, *, fits: bool
) -> None:
    """It was promised at a cent an hour, and costs half a dollar for four hours."""
    world.catalog.settings.set("budget.launch", micro(usd))
    listed_at(world, 0.01)
    made = world.ask(name="box", lifetime_s=4 * HOUR_S)
    if fits:
        world.launch(made)
        assert world.row(made).price_usd_per_hour == 0.5
        return
    with pytest.raises(
        CloudtuiError, match=r"box would cost \$0\.500 an hour now\..*may cost \$1\.95"
    ) as told:
        world.launch(made)
    assert (told.value.code, "budget set" in told.value.hint) == ("budget", True)
    assert world.living() == []
    assert world.cloud.launches() == 0, "before anything is sent"
    assert world.states(made) == [AttemptState.REFUSED]


def test_what_is_asked_for_together_counts_together(world: World) -> None:
    world.catalog.settings.set("budget.launch", micro(0.9))
    listed_at(world, 0.01)
    first, second = world.ask_all(name="box", count=2, lifetime_s=HOUR_S)
    world.launch(first)
    with pytest.raises(CloudtuiError, match=r"costs up to \$1\.0"):
        world.launch(second)


def test_a_request_bears_the_price_that_was_offered(world: World, ordered: list[Order]) -> None:
    world.launched()
    world.launched(max_price=0.7)
    world.launched(spot=True)
    world.launched(spot=True, max_price=0.4)
    assert [one.max_price for one in ordered] == [0.5, 0.5, None, 0.4], "a bid for spot leaves room"
    world.catalog.settings.set("budget.launch", micro(5.0))
    listed_at(world, 0.15, spot=True)
    world.launched(spot=True, lifetime_s=HOUR_S)
    bid = ordered[-1].max_price
    assert bid is not None
    assert math.isclose(bid, 0.5 * SPOT_SHARE), "where a budget was promised less it does not"


def test_what_is_promised_of_a_place_without_a_price_is_what_is_known(world: World) -> None:
    place = attempts.Candidate("north-1", "", "gpu-1", spot=False)
    wish = Wish("toy", type="gpu-1")
    assert orders.promised(world.catalog, wish, place) is None
    assert orders.promised(world.catalog, replace(wish, max_price=0.3), place) == 0.3
    listed_at(world, 0.2)
    assert orders.promised(world.catalog, wish, place) == 0.2
    assert orders.promised(world.catalog, wish, replace(place, price=0.1)) == 0.1


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, -0.01])
def test_what_is_no_price_is_none(world: World, price: float) -> None:
    offer = replace(OFFER, price_usd_per_hour=price)
    assert offer.price_usd_per_hour is None
    assert attempts.candidates(Wish("toy", type="gpu-1", max_price=0.1), [], [offer]) == []
    with pytest.raises(UsageError, match="a number above 0"):
        world.ask(max_price=price)
