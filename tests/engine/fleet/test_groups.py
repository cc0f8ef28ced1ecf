"""Machines that were asked for together, before the clouds' fakes: all or none, only what is lost anew."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.fleet.taking import asked, carry_out, running
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.fleet import commands, ending
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.instance import PREEMPTED, Instance, LinkState
from cloudtui_engine.records.launch import LaunchState


def group_of_three(world: World, **wish: Any) -> list[Instance]:
    return world.ask_all(name="node", count=3, lifetime_s=7200, **wish)


def count(world: World) -> int:
    """Of what is paid for, by the cloud's own books."""
    cloud: Any = world.cloud
    cloud.settle()
    return int(cloud.count())


def test_of_a_group_only_the_lost_node_is_replaced(rented: World, rented_context: Context) -> None:
    world = rented
    group = group_of_three(world, spot=True)
    for one in group:
        world.launch(one)
    runs = {one.name: running(world, one, f"on-{one.name}") for one in group}
    first, lost, third = (world.row(one) for one in group)
    assert (count(world), world.cloud.launches()) == (3, 3)

    world.cloud.take_back(lost.cloud_id)
    world.look()
    assert (world.row(lost).cloud_state, world.row(lost).cloud_reason) == ("terminated", PREEMPTED)
    (operation,) = asked(world)
    assert (operation.kind, operation.target) == ("instance.replace", lost.id)
    fresh = world.catalog.instances.get(carry_out(rented_context, operation)["instance"])
    world.launch(fresh)
    fresh = world.row(fresh)
    assert (fresh.name, fresh.zone != lost.zone, fresh.cloud_state) == (lost.name, True, "running")
    assert fresh.deadline_at == pytest.approx(lost.deadline_at, abs=2)
    assert (count(world), world.cloud.launches()) == (3, 4), "one for one"
    assert [world.row(one).cloud_id for one in (first, third)] == [first.cloud_id, third.cloud_id]
    assert {world.the_launch(one).group_id for one in (first, third, fresh)} == {
        world.the_launch(first).group_id
    }

    world.catalog.instances.update(fresh.id, link_state=LinkState.UP)
    (operation,) = asked(world)
    assert (operation.target, carry_out(rented_context, operation)) == (runs[lost.name].id, {"attempt": 2})
    assert world.catalog.runs.attempt(runs[lost.name].id, 2).instance_id == fresh.id
    assert [world.catalog.runs.get(runs[one.name].id).attempt for one in (first, third)] == [1, 1]


def test_a_group_that_cannot_be_had_whole_leaves_nothing(rented: World) -> None:
    world = rented
    cloud: Any = world.cloud
    cloud.most = 2
    group = group_of_three(world)
    for one in group[:2]:
        world.launch(one)
    assert count(world) == 2
    with pytest.raises(CloudtuiError):
        world.launch(group[2])
    for operation in world.catalog.operations.pending():
        if operation.kind == "instance.terminate":
            ending.terminate(world.means, operation.target)
    assert count(world) == 0
    assert {world.row(one).wanted for one in group[:2]} == {"terminated"}
    assert world.catalog.orphans.list() == []


def test_who_takes_one_back_himself_has_a_whole_group_of_the_others(world: World) -> None:
    group = world.ask_all(name="node", count=3)
    commands.submit_terminate(world.catalog, group[2])
    for one in group:
        world.launch(one)
    assert world.the_launch(group[2]).state is LaunchState.CANCELLED
    world.cloud.take_back(world.row(group[0]).cloud_id)
    world.look()
    fresh = commands.submit_replacement(world.catalog, world.paths, world.row(group[0]))
    world.cloud.fail(Fault.QUOTA)
    with pytest.raises(CloudtuiError):
        world.launch(fresh)
    assert world.row(group[1]).wanted == "running", "what was lost takes nobody with it"
    assert len(world.living()) == 1
