"""SIGKILL to an engine at every checkpoint of what it does with a cloud: no machine is lost, none is doubled.

The short form runs with the suite and takes some of the checkpoints; `make campaign` takes all of them, and
`test_kill_points_of_clouds` does the same before the clouds' fakes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.fleet.scenes import (
    NEEDS_STOP,
    STORIES,
    Asking,
    Scene,
    ToyAtHand,
    kill_at_random,
    kill_everywhere,
)
from tests.support.clouds.toy import Toy

KILLS = int(os.environ.get("CLOUDTUI_KILLS", "200"))


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    made: list[Scene] = []

    def make(*asked: Asking, kind: str = "ToyCloud") -> Scene:
        root = tmp_path / f"s{len(made)}" / "scene"
        root.mkdir(parents=True)
        made.append(Scene(root, ToyAtHand(root, kind), *asked))
        return made[-1]

    yield make
    for scene in made:
        scene.engines.close()


@pytest.mark.parametrize("story", ["launch", "terminate"])
def test_killed_at_some_checkpoints(make_scene: Callable[..., Scene], story: str) -> None:
    before, asking, ends = STORIES[story]
    kills, whole = kill_everywhere(make_scene(*before), asking, ends, step=17)
    assert kills >= 2
    assert whole > 15


@pytest.mark.campaign
@pytest.mark.parametrize("kind", ["ToyCloud", "ToyByName", "ToyListed"])
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_every_checkpoint(make_scene: Callable[..., Scene], story: str, kind: str) -> None:
    if kind == "ToyListed" and story in NEEDS_STOP:
        pytest.skip("it cannot stop")
    before, asking, ends = STORIES[story]
    kills, whole = kill_everywhere(make_scene(*before, kind=kind), asking, ends, step=1)
    print(f"\n{kind}, {story}: killed at {kills} of {whole} checkpoints; 0 orphans, 0 doubles")


@pytest.mark.campaign
@pytest.mark.parametrize("kind", ["ToyCloud", "ToyByName", "ToyListed"])
def test_killed_at_random_instants(make_scene: Callable[..., Scene], kind: str) -> None:
    kills, rounds = kill_at_random(make_scene(kind=kind), KILLS)
    print(f"\n{kind}: {kills} kills in {rounds} group launches of 3; 0 orphans, 0 doubles")


def test_the_toy_counts_what_costs(tmp_path: Path) -> None:
    """The check itself can fail: a machine that no row knows is seen by it."""
    toy = Toy(tmp_path / "cloud")
    toy.stranger()
    assert toy.count() == 1
