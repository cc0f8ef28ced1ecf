"""SIGKILL to an engine at every checkpoint of what it does with the clouds' fakes, and answers that are lost.

One kill of each runs with the services; all of them are `make campaign`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.fleet.scenes import STORIES, HttpAtHand, Scene, kill_at_random, kill_everywhere
from tests.support.clouds.alibaba_fake import FakeAlibaba
from tests.support.clouds.azure_fake import FakeAzure
from tests.support.clouds.gcp_fake import FakeGcp

KILLS = int(os.environ.get("CLOUDTUI_KILLS", "200"))
FAKES: dict[str, Callable[[Path], Any]] = {
    "gcp": FakeGcp,
    "azure": lambda _: FakeAzure(),
    "alibaba": lambda _: FakeAlibaba(),
}
MakeScene = Callable[..., Scene]


@pytest.fixture(params=FAKES)
def fake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with FAKES[request.param](tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def make_scene(fake: Any, tmp_path: Path) -> Iterator[MakeScene]:
    made: list[Scene] = []

    def make(story: str) -> Scene:
        root = tmp_path / "s" / "scene"
        root.mkdir(parents=True)
        made.append(Scene(root, HttpAtHand(fake), *STORIES[story][0]))
        return made[-1]

    yield make
    for scene in made:
        scene.engines.close()


@pytest.mark.services
def test_killed_at_some_checkpoints(make_scene: MakeScene) -> None:
    _, asking, ends = STORIES["launch"]
    kills, whole = kill_everywhere(make_scene("launch"), asking, ends, step=17)
    assert kills >= 2
    assert whole > 15


@pytest.mark.campaign
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_every_checkpoint(make_scene: MakeScene, fake: Any, story: str) -> None:
    _, asking, ends = STORIES[story]
    kills, whole = kill_everywhere(make_scene(story), asking, ends, step=1)
    print(f"\n{fake.provider.name}, {story}: killed at {kills} of {whole} checkpoints; 0 orphans, 0 doubles")


@pytest.mark.campaign
def test_killed_at_random_instants(make_scene: MakeScene, fake: Any) -> None:
    kills, rounds = kill_at_random(make_scene("group"), KILLS, 1.0)
    print(f"\n{fake.provider.name}: {kills} kills in {rounds} group launches of 3; 0 orphans, 0 doubles")
