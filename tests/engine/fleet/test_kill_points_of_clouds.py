"""SIGKILL to an engine at every checkpoint of what it does with the clouds' fakes, and answers that are lost.

One kill of each runs with the services; all of them are `make campaign`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.fleet.scenes import (
    STORIES,
    HttpAtHand,
    MotoAtHand,
    Scene,
    kill_at_random,
    kill_everywhere,
)
from tests.providers.contract_means import planned
from tests.support.clouds.alibaba_fake import FakeAlibaba
from tests.support.clouds.azure_fake import FakeAzure
from tests.support.clouds.faults import Fault
from tests.support.clouds.gcp_fake import FakeGcp
from tests.support.clouds.moto_sshd import Moto

from cloudtui_providers.errors import AmbiguousError

KILLS = int(os.environ.get("CLOUDTUI_KILLS", "200"))
LOST = int(os.environ.get("CLOUDTUI_LOST", "1000"))
STEP = int(os.environ.get("CLOUDTUI_STEP", "1"))
"""From one checkpoint to the next, where there is no time for all of them."""
FAKES: dict[str, Callable[[Path], Any]] = {
    "aws": lambda folder: Moto(folder / "moto"),
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
        cloud = MotoAtHand(fake) if isinstance(fake, Moto) else HttpAtHand(fake)
        made.append(Scene(root, cloud, *STORIES[story][0]))
        return made[-1]

    yield make
    for scene in made:
        scene.engines.close()


@pytest.mark.services
def test_killed_at_some_checkpoints(make_scene: MakeScene) -> None:
    _, asking, ends = STORIES["launch"]
    kills, whole = kill_everywhere(make_scene("launch"), asking, ends, 17)
    assert kills >= 2
    assert whole > 15


@pytest.mark.campaign
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_every_checkpoint(make_scene: MakeScene, fake: Any, story: str) -> None:
    _, asking, ends = STORIES[story]
    kills, whole = kill_everywhere(make_scene(story), asking, ends, STEP)
    print(
        f"\n{fake.provider.name}, {story}: {kills} kills, {whole} checkpoints; 0 orphans, 0 doubles",
        flush=True,
    )


@pytest.mark.campaign
def test_killed_at_random_instants(make_scene: MakeScene, fake: Any) -> None:
    kills, rounds = kill_at_random(make_scene("group"), KILLS)
    print(f"\n{fake.provider.name}: {kills} kills in {rounds} group launches of 3; 0 orphans, 0 doubles")


@pytest.mark.campaign
def test_lost_answers(fake: Any) -> None:
    """To launches and to ends: each request is one machine, known by its payload, and one that ends."""
    if isinstance(fake, Moto):
        pytest.skip("moto looks through all machines that there ever were: tests/end_to_end/test_aws_kill.py")
    for number in range(LOST):
        order = fake.order(launch=f"lost{number}")
        payload = planned(fake.provider, order)
        for called in ("launch", "terminate"):
            fake.fail(Fault.LOSE_ANSWER, called)
        with pytest.raises(AmbiguousError):
            fake.provider.launch(payload)
        found = fake.provider.find(payload)
        assert found
        assert (fake.provider.launch(payload).id, fake.count()) == (found.id, 1)
        with pytest.raises(AmbiguousError):
            fake.provider.terminate(order.region, found.id)
        fake.provider.terminate(order.region, found.id)
        fake.settle()
        assert fake.count() == 0
    print(f"\n{fake.provider.name}: {2 * LOST} lost answers; 0 doubles, 0 orphans")
