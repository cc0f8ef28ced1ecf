from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.toy import ToyCloud

from cloudtui_providers import registry


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(kind: type[ToyCloud] = ToyCloud) -> World:
        world = World(tmp_path / f"w{len(made)}", kind)
        made.append(world)
        monkeypatch.setattr(registry, "provider", lambda _name: world.cloud.provider)
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
