"""On-demand machines in the place of spot ones: below the person's price alone; and what is said else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.engine.fleet.taking import asked, carry_out, running
from tests.engine.fleet.world import World

from cloudtui_engine.errors import CloudtuiError, RefusedError
from cloudtui_engine.fleet import commands, ondemand
from cloudtui_engine.fleet.means import Interrupted
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.money.prices import Price
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import LaunchState, Wish
from cloudtui_providers.base import Offer, Wanted

COSTS = 0.8
"""On demand, US dollars an hour, of the one kind of machine that is rented here."""


@pytest.fixture
def no_spot(rented: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The cloud has no spot machines any more once one was rented, and its other ones have a price."""
    cloud = rented.cloud.provider
    real = cloud.offers

    def offers(wanted: Wanted) -> list[Offer]:
        found = real(wanted)
        if wanted.spot:
            return found if not rented.cloud.launches() else []
        if rented.name == "gcp":  # which tells none: it is known here
            assert {one.price_usd_per_hour for one in found} == {None}
            kept = [
                Price("gcp", one.region, one.type, False, int(COSTS * 1e6), "2026-11-21", "") for one in found
            ]
            rented.catalog.prices.refresh(kept)
            return found
        return [replace(one, price_usd_per_hour=COSTS) for one in found]

    monkeypatch.setattr(cloud, "offers", offers)
    return rented


def replacement(world: World, context: Context, **wish: Any) -> Instance:
    """A spot machine is rented, works, is taken back, and the engine asks for another by itself."""
    first = world.launched(name="box", spot=True, lifetime_s=7200, **wish)
    running(world, first)
    world.cloud.take_back(first.cloud_id)
    world.look()
    (operation,) = asked(world)
    return world.catalog.instances.get(carry_out(context, operation)["instance"])


def wait(world: World, box: Instance, seconds: float) -> None:
    """Carry the launch out for so long, as an engine that ends then."""
    until = world.clock.now() + seconds
    looks = world.clock.passing

    def passing() -> None:
        looks()
        if world.clock.now() >= until:
            world.closing.set()

    world.clock.passing = passing
    with pytest.raises(Interrupted):
        world.launch(box)
    world.clock.passing = looks
    world.closing.clear()


def told(world: World) -> list[str]:
    return [one.detail for one in world.catalog.notices.since(0)[1] if one.kind == "launch"]


def test_below_the_limit_one_on_demand_is_taken(no_spot: World, rented_context: Context) -> None:
    box = replacement(no_spot, rented_context, on_demand_cap=1.0)
    no_spot.launch(box)
    assert (no_spot.row(box).cloud_state, no_spot.row(box).spot) == ("running", False)
    assert told(no_spot) == []


def test_above_it_none_is_and_a_person_is_told_and_may_say_more(
    no_spot: World, rented_context: Context
) -> None:
    box = replacement(no_spot, rented_context, on_demand_cap=0.5)
    wait(no_spot, box, 700.0)
    assert no_spot.cloud.launches() == 1, "the lost one's"
    (why,) = told(no_spot)
    assert "On demand it costs $0.80 an hour, above your limit of $0.50." in why
    assert "cloudtui instance replace box --on-demand-cap USD" in why
    with pytest.raises(RefusedError):
        commands.submit_replacement(no_spot.catalog, no_spot.paths, no_spot.row(box), on_demand_cap=0.9)
    commands.allow_on_demand(no_spot.catalog, no_spot.row(box), 0.9, now=no_spot.clock.now())
    no_spot.launch(box)
    row = no_spot.row(box)
    assert (row.cloud_state, row.spot, no_spot.the_launch(row).wish.on_demand_cap) == ("running", False, 0.9)
    with pytest.raises(RefusedError, match="does not wait"):
        commands.allow_on_demand(no_spot.catalog, row, 0.9)


def test_without_a_limit_none_is_taken(world: World, context: Context) -> None:
    box = replacement(world, context)
    with world.cloud.books.open() as books:
        books["faults"].append({"fault": "capacity", "on": "launch", "times": 99, "where": ""})
    wait(world, box, 700.0)
    (why,) = told(world)
    assert "One on demand is not taken: up to which price, nobody has said." in why
    world.cloud.heal()
    world.launch(box)
    assert world.row(box).spot


def test_a_budget_holds_what_one_on_demand_may_cost(world: World, context: Context) -> None:
    box = replacement(world, context, max_price=0.3)
    world.catalog.settings.set("budget.launch", 1_000_000)
    with pytest.raises(RefusedError, match="a launch may cost"):
        commands.allow_on_demand(world.catalog, box, 2.0, now=world.clock.now())
    assert world.the_launch(box).wish.on_demand_cap is None


def test_a_launch_that_fails_says_why_none_on_demand_was_taken(world: World) -> None:
    with world.cloud.books.open() as books:
        books["faults"].append({"fault": "capacity", "on": "launch", "times": 99, "where": ""})
    box = world.ask(name="box", spot=True, on_demand_cap=0.4)
    with pytest.raises(CloudtuiError, match=r"costs \$0\.50 an hour, above your limit of \$0\.40") as raised:
        world.launch(box)
    assert "--on-demand-cap USD" in raised.value.hint
    assert world.the_launch(box).state is LaunchState.FAILED


@pytest.mark.parametrize(
    ("wish", "price", "why"),
    [
        (Wish("toy", type="big"), 9.0, ""),
        (Wish("toy", type="big", spot=True, on_demand_cap=1.0), 1.0, ""),
        (Wish("toy", type="big", spot=True, on_demand_cap=1.0), None, "is not known"),
        (Wish("toy", type="other", spot=True, on_demand_cap=1.0), 0.1, "offers none on demand"),
    ],
)
def test_why_not(wish: Wish, price: float | None, why: str) -> None:
    said = ondemand.why_not(wish, [Offer("toy", "r", "ra", "big", "A100", 1, 1, 1, 1, price)], {})
    assert (why in said, bool(said)) == (True, bool(why))
