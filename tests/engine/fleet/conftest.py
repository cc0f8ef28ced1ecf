from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.toy import ToyCloud

from cloudtui_engine.handlers.context import Context
from cloudtui_engine.hosts.connect import connector
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.secret_channel import SecretBox
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


@pytest.fixture(params=["gcp", "azure", "alibaba"])
def rented(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world whose cloud is one of the fakes, asked over HTTP."""
    made = getattr(
        import_module(f"tests.support.clouds.{request.param}_fake"), f"Fake{request.param.title()}"
    )
    with made(tmp_path) if request.param == "gcp" else made() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CLOUDTUI_ADDRESS_URL", f"{fake.endpoint}/address")
        fake.moves = True
        world = World(tmp_path / "w", cloud=fake)
        monkeypatch.setattr(registry, "provider", lambda _name: fake.provider)
        yield world
        world.close()


def _context(world: World) -> Iterator[Context]:
    secrets = SecretBox(world.paths)
    links = Links(world.catalog, connector(world.paths, secrets))
    yield Context(world.catalog, world.paths, links, secrets, threading.Event(), world.clock)
    links.close()
    secrets.close()


@pytest.fixture
def context(world: World) -> Iterator[Context]:
    yield from _context(world)


@pytest.fixture
def rented_context(rented: World) -> Iterator[Context]:
    yield from _context(rented)
