"""Machines that were made and stand still: before they were ever reached, and afterwards."""

from __future__ import annotations

import pytest
from tests.engine.fleet.world import World

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.fleet import arriving, commands, due, ending, launching
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import LaunchState


def turn(world: World, state: str, *only: str) -> None:
    """At the cloud, by nobody here."""
    with world.cloud.books.open() as books:
        for one in books["machines"].values():
            if one["id"] in only or not only:
                one["state"] = state


def made(world: World, state: str) -> Instance:
    """A machine whose answer is here, and then it is so."""
    instance = world.ask(name="box", lifetime_s=86_400)
    real = world.cloud.provider.launch

    def launch(payload: object) -> object:
        machine = real(payload)  # type: ignore[arg-type]
        turn(world, state, "toy-1")
        return machine

    world.cloud.provider.launch = launch  # type: ignore[method-assign,assignment]
    return instance


def notices(world: World) -> list[str]:
    return [one.kind for one in world.catalog.notices.since(0)[1]]


def test_one_that_does_not_get_to_run_is_ended_and_sought_elsewhere(world: World) -> None:
    instance = made(world, "stopped")
    begun = world.clock.now()
    world.launch(instance)
    assert world.clock.now() - begun >= arriving.STANDS_S
    assert world.zones(instance) == ["north-1a", "north-1b"]
    assert world.row(instance).cloud_id == "toy-2"
    assert len(world.living()) == 1


def test_one_that_cannot_be_ended_is_told_again_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = made(world, "stopped")
    told: list[float] = []
    real = ending.end_quietly

    def end(*machine: object) -> bool:
        told.append(world.clock.now())
        return len(told) > 1 and real(*machine)  # type: ignore[arg-type]

    monkeypatch.setattr(ending, "end_quietly", end)
    world.launch(instance)
    assert told[1] - told[0] >= arriving.STANDS_S
    assert len(world.living()) == 1


def test_one_whose_time_is_used_up_on_its_way_is_there(world: World) -> None:
    instance = made(world, "stopped")
    real = world.clock.passing

    def passing() -> None:
        real()
        if world.row(instance).cloud_id and world.row(instance).wanted == "running":
            world.catalog.instances.update(instance.id, wanted="stopped")  # as its deadline does

    world.clock.passing = passing
    world.launch(instance)
    assert world.the_launch(instance).state is LaunchState.READY
    assert (world.row(instance).wanted, world.row(instance).cloud_id) == ("stopped", "toy-1")
    assert notices(world) == []


def test_one_that_ended_its_day_while_the_lid_was_closed_is_stopped_and_can_be_started(world: World) -> None:
    instance = made(world, "stopped")
    world.clock.passing = world.closing.set
    with pytest.raises(launching.Interrupted):
        world.launch(instance)
    world.closing.clear()
    world.clock.passing = world._pass
    world.clock._now += 90_000.0
    world.launch(instance)
    row = world.row(instance)
    assert (row.wanted, row.cloud_state, row.cloud_id) == ("stopped", "stopped", "toy-1")
    assert notices(world) == ["standstill"]
    assert not due.keeps_engine(world.catalog)
    commands.submit_start(world.catalog, row)


def test_one_that_never_comes_up_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "COMES_S", 600.0)
    instance = world.ask(name="box", lifetime_s=86_400)
    real = world.clock.passing

    def passing() -> None:
        turn(world, "pending")
        real()
        turn(world, "pending")

    world.clock.passing = passing
    with pytest.raises(CloudtuiError, match="did not come up within 10 minutes"):
        world.launch(instance)
    assert world.row(instance).wanted == "terminated"
    (asked,) = world.catalog.operations.open_of(["instance.terminate"])
    assert asked.target == instance.id


def test_one_that_stops_by_itself_is_not_called_starting(world: World) -> None:
    instance = world.launched(name="box")
    for operation in world.catalog.operations.open_for(instance.id):
        world.catalog.operations.finish(operation.id)
    turn(world, "stopped")
    for _ in range(2):
        world.look()
    assert (world.row(instance).wanted, world.row(instance).cloud_state) == ("stopped", "stopped")
    assert notices(world) == ["standstill"]
    commands.submit_start(world.catalog, world.row(instance))
    world.look()  # before the cloud has begun with it
    assert world.row(instance).wanted == "running"
