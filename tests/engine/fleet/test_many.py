"""Many at once, and answers lost by the hundred."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import date

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault
from tests.support.clouds.toy import ToyByName, ToyCloud, ToyListed

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, RefusedError
from cloudtui_engine.fleet import commands, ending
from cloudtui_engine.money.amounts import begin_of
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Wish

AT_ONCE, PROCESSES = 50, 5
PRICE, HOURS, FITTING = 0.5, 2, 20


def test_many_at_once_at_the_edge_of_a_budget_do_not_overshoot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several catalogs, as so many processes would. At noon: late in a day more fits into it."""
    noon = begin_of(date(2026, 11, 21)) / 1000 + 12 * 3600.0
    monkeypatch.setattr(time, "time", lambda: noon)
    world.catalog.settings.set("budget.day", int(FITTING * PRICE * HOURS * 1_000_000))
    wish = Wish("toy", type="gpu-1", regions=("north-1",), lifetime_s=HOURS * 3600, max_price=PRICE)
    catalogs = [open_catalog(world.paths.home) for _ in range(PROCESSES)]
    ready = threading.Barrier(AT_ONCE)
    told: list[str] = []

    def ask(catalog: Catalog) -> None:
        ready.wait(30)
        try:
            (made,) = commands.submit_launch(catalog, world.paths, wish)
            told.append(made.name)
        except RefusedError as error:
            told.append(error.code)

    threads = [
        threading.Thread(target=ask, args=(catalogs[number % PROCESSES],)) for number in range(AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for catalog in catalogs:
        catalog.close()
    assert told.count("budget") == AT_ONCE - FITTING
    names = [one for one in told if one != "budget"]
    assert len(names) == len(set(names)) == len(world.catalog.launches.open()) == FITTING


def lose(world: World, rounds: int, seed: int) -> int:
    """Launch, stop, start and end machines; answers are lost at random, and machines shown late."""
    source = random.Random(seed)
    can_stop = world.cloud.provider.capabilities.stop
    lost = 0
    for _ in range(rounds):
        world.cloud.books.set(late_looks=source.randint(0, 6))
        lost += _lose(world, source, "launch")
        instance = world.ask()
        world.clock.waits = 0
        try:
            world.launch(instance)
        except CloudtuiError:
            # Three requests whose answers were lost, and of which nothing came: given up, and nothing lives.
            assert world.living() == []
            continue
        assert world.living() == [world.catalog.launches.attempts(instance.launch_id)[-1].token]
        if can_stop and source.random() < 0.3:
            lost += _lose(world, source, "stop") + _lose(world, source, "start")
            commands.submit_stop(world.catalog, world.row(instance))
            ending.stop(world.means, instance.id)
            commands.submit_start(world.catalog, world.row(instance))
            ending.start(world.means, instance.id)
        lost += _lose(world, source, "terminate")
        world.end(instance)
        assert world.row(instance).cloud_state == "terminated"
        assert world.living() == []
        world.cloud.heal()
        _forget(world, instance)
    world.look(everywhere=True)
    assert world.catalog.orphans.list() == []
    assert world.catalog.launches.may_live() == []
    return lost


def _lose(world: World, source: random.Random, on: str) -> int:
    times = source.choice([1, 1, 2, 3])
    for _ in range(times):
        world.cloud.fail(source.choice([Fault.LOSE_ANSWER, Fault.LOSE_ANSWER, Fault.BROKEN]), on=on)
    return times


def _forget(world: World, instance: Instance) -> None:
    """The books stay short: it is the engine that is tried, not the toy."""
    with world.cloud.books.open() as books:
        books["machines"].clear()
        books["calls"].clear()
    world.catalog.instances.forget(instance.id, world.clock.now())


@pytest.mark.parametrize("kind", [ToyCloud, ToyListed])
def test_lost_answers_make_no_doubles(make_world: Callable[..., World], kind: type[ToyCloud]) -> None:
    assert lose(make_world(kind), 4, seed=1) >= 8


@pytest.mark.campaign
@pytest.mark.parametrize("kind", [ToyCloud, ToyByName, ToyListed])
def test_a_thousand_lost_answers(make_world: Callable[..., World], kind: type[ToyCloud]) -> None:
    wanted = int(os.environ.get("CLOUDTUI_LOST_ANSWERS", "1000"))
    lost = 0
    for seed in range(wanted):
        lost += lose(make_world(kind), 25, seed)
        if lost >= wanted:
            break
    print(f"\n{kind.__name__}: {lost} lost answers; 0 orphans, 0 doubles")
