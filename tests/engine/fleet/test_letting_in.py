"""A firewall that is opened to the address of now, by an operation that waits for nobody."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.toy import ToyCloud

from cloudtui_engine.dispatcher import HANDLERS, OVERTAKES
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands, installation
from cloudtui_engine.handlers.context import Context


def test_it_is_opened_as_its_order_had_it(
    world: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(ToyCloud, "let_in", lambda _cloud, *order: asked.append(order) or "203.0.113.7/32")
    box = world.launched(name="box", ssh_from=("198.51.100.0/24",))
    operation = commands.submit_open(world.catalog, world.row(box))
    assert operation.kind in OVERTAKES, "what comes before it may be waiting for the host that shuts us out"
    assert HANDLERS[operation.kind](context, operation) == {"network": "203.0.113.7/32"}
    assert asked == [("north-1", installation.owner(world.catalog), ("198.51.100.0/24",))]
    world.end(box)
    with pytest.raises(RefusedError):
        commands.submit_open(world.catalog, world.row(box))
