"""Machines of ours that no row speaks of are taken up with a deadline, as one that is launched has it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.fleet.world import World

from cloudtui_engine.errors import UsageError
from cloudtui_engine.fleet import commands, deadlines, ending, enforcing
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Orphan


def found(world: World, launch: str = "gone1") -> Orphan:
    machine = world.alien(launch=launch)
    world.look(everywhere=True)
    return world.catalog.orphans.find(machine.id)


def waiting(world: World, one: Instance) -> dict[str, Any]:
    """What is to be done with it, by kind."""
    return {each.kind: each.args for each in world.catalog.operations.open_for(one.id)}


def test_one_that_is_taken_up_ends_at_its_deadline(world: World) -> None:
    orphan, now = found(world), world.clock.now()
    with pytest.raises(UsageError, match="past"):
        commands.submit_adopt(world.catalog, world.paths, orphan, until=now - 1.0, now=now)
    taken = commands.submit_adopt(world.catalog, world.paths, orphan, until=now + 3600.0, now=now)
    assert taken.deadline_at == now + 3600.0
    assert waiting(world, taken) == {deadlines.KIND: {"asked": True, "arm": False}}
    enforcing.enforce(world.catalog, world.clock)
    assert set(waiting(world, taken)) == {deadlines.KIND}, "what it ends by waits as it was said"
    world.clock.wait(3600.0, world.closing)
    world.look()
    enforcing.enforce(world.catalog, world.clock)
    assert "instance.stop" in waiting(world, taken)
    ending.stop(world.means, taken.id)
    assert world.row(taken).cloud_state == "stopped"


def test_a_switch_is_put_there_only_if_that_is_asked_for(world: World) -> None:
    orphan, now = found(world), world.clock.now()
    taken = commands.submit_adopt(world.catalog, world.paths, orphan, until=now + 60.0, arm=True, now=now)
    assert waiting(world, taken) == {deadlines.KIND: {"asked": True, "arm": True}}


def test_one_that_was_forgotten_long_ago_is_not_ended_by_its_old_deadline(world: World) -> None:
    box = world.launched(name="box", lifetime_s=3600)
    world.catalog.instances.forget(box.id, 1.0)
    world.clock.wait(7200.0, world.closing)
    world.look(everywhere=True)
    (orphan,) = world.catalog.orphans.list()
    now = world.clock.now()
    taken = commands.submit_adopt(world.catalog, world.paths, orphan, now=now)
    assert (taken.id, taken.deadline_at) == (box.id, None), "nobody has said one"
    enforcing.enforce(world.catalog, world.clock)
    assert "instance.stop" not in waiting(world, taken)
    assert world.row(taken).wanted == "running"
