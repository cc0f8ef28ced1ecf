"""What the engine does about machines that are taken back, step by step: its deciders, then its handlers."""

from __future__ import annotations

from typing import Any

from tests.engine.catalog.helpers import a_run
from tests.engine.fleet.world import World

from cloudtui_engine.fleet import spot
from cloudtui_engine.handlers import go_on
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run, RunState


def running(world: World, machine: Instance, name: str = "mine", **fields: Any) -> Run:
    """A run that works there."""
    run = world.catalog.runs.create(a_run(name, **fields), [machine.id])
    for state in (RunState.STAGING, RunState.STARTING, RunState.RUNNING):
        assert world.catalog.runs.move(run.id, 1, state, expected=tuple(RunState))
    return run


def asked(world: World) -> list[Operation]:
    """What the decider wants now, submitted as it is by `deciders`."""
    for kind, target, key, args in spot.due(spot.read(world.catalog, world.clock.now())):
        world.catalog.operations.submit(kind, target, args, key)
    return [
        one for one in world.catalog.operations.pending() if one.kind in {"instance.replace", "run.resume"}
    ]


def carry_out(context: Context, operation: Operation) -> Any:
    handler = {"instance.replace": go_on.replace, "run.resume": go_on.resume}[operation.kind]
    result = handler(context, operation)
    context.catalog.operations.finish(operation.id, dict(result))
    return result
