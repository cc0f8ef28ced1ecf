"""Who knows of a deadline: what was answered counts, not what was asked; and no time is given that is not."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.toy import ToyCloud

from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands, deadlines, ending
from cloudtui_engine.fleet.told import told
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation

HOUR = 3600.0


def said(world: World, box: Instance) -> dict[str, tuple[bool, str]]:
    return {one.who: (one.knows, one.text) for one in told(world.catalog, world.row(box))}


def armed(at: float) -> dict[str, Any]:
    """What a switch answers."""
    return {"cloud": False, "host": {"armed": True, "left_s": round(at - time.time())}}


def give(world: World, box: Instance, hours: float) -> tuple[Operation, float]:
    at = time.time() + hours * HOUR
    return commands.extend(world.catalog, world.row(box), at, now=world.clock.now()), at


def test_more_time_is_not_said_to_be_known_before_the_machine_has_answered(world: World) -> None:
    box = world.launched(name="box")
    assert said(world, box)["machine"] == (True, "its own switch has it from the launch")
    first, at = give(world, box, 2)
    assert said(world, box)["engine"][0]
    assert said(world, box)["machine"] == (False, "not told yet: as soon as an engine gets to it")
    world.catalog.operations.finish(first.id, armed(at))
    assert said(world, box)["machine"][0]
    second, _ = give(world, box, 4)
    world.catalog.operations.set_progress(
        second.id, {"text": "The host will be told when it can be reached."}
    )
    knows, text = said(world, box)["machine"]
    clock = time.strftime("%H:%M", time.localtime(at))
    assert (knows, text) == (
        False,
        "not told yet: The host will be told when it can be reached.; its switch still ends it at " + clock,
    )


def test_a_machine_that_cannot_end_itself_is_said_not_to(world: World) -> None:
    box = world.launched(name="box")
    asked, _ = give(world, box, 2)
    world.catalog.operations.finish(asked.id, {"cloud": False, "host": "The user may not use sudo."})
    assert said(world, box)["machine"] == (False, "does not end itself: The user may not use sudo.")


def test_a_cloud_with_a_limit_of_its_own_knows_once_it_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = dataclasses.replace(ToyCloud.capabilities, cloud_deadline=True)
    monkeypatch.setattr(ToyCloud, "capabilities", limited)
    box = world.launched(name="box")
    assert said(world, box)["cloud"] == (True, "has it from the launch")
    asked, _ = give(world, box, 2)
    assert not said(world, box)["cloud"][0]
    world.catalog.operations.set_progress(asked.id, {"text": "Telling the machine"})
    assert said(world, box)["cloud"] == (True, "was told")
    world.catalog.operations.fail(asked.id, {"message": "It wants to be asked later.", "hint": ""})
    assert said(world, box)["cloud"] == (False, "It wants to be asked later.")


def test_one_that_is_being_stopped_is_given_no_more_time(world: World) -> None:
    box = world.launched(name="box")
    commands.submit_stop(world.catalog, world.row(box))
    before = world.row(box).deadline_at
    for _ in range(2):
        with pytest.raises(RefusedError, match="is stopped, or about to be") as refused:
            give(world, box, 2)
        assert "instance start box" in refused.value.hint
        ending.stop(world.means, box.id)
    assert world.row(box).deadline_at == before
    assert world.catalog.operations.about(deadlines.KIND, box.id) == []
