"""SIGKILL to an engine at every checkpoint of what it does with a cloud: no machine is lost, none is doubled.

The short form runs with the suite and takes some of the checkpoints; `make campaign` takes all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.engine.fleet.killing import Engines, Template, random_instants
from tests.support.clouds.faults import Fault
from tests.support.clouds.toy import Toy
from tests.support.clouds.toy_books import ToyBooks

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import commands
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Wish

Asking = Callable[[Catalog], object]
WISH = Wish("toy", "box", "gpu-1", regions=("north-1",))


class Scene:
    """A home before something is asked of its fleet, to be had again and again."""

    def __init__(self, folder: Path, *asked: Asking, kind: str = "ToyCloud") -> None:
        self.root = folder / "scene"
        self.root.mkdir(parents=True)
        self.books = ToyBooks(self.root / "cloud")
        self.books.set(address="127.255.255.254", port=9)
        self.engines = Engines(self.root / "home", self.root / "cloud", kind)
        for one in asked:
            self.ask(one)
            self.engines.run()
        self._template = Template(self.root)

    def ask(self, asking: Asking) -> None:
        self.engines.begin()
        catalog = open_catalog(self.root / "home")
        try:
            asking(catalog)
        finally:
            catalog.close()

    def again(self, asking: Asking) -> None:
        """The home as it was, with this asked."""
        self._template.restore()
        self.ask(asking)

    def living(self) -> list[str]:
        with self.books.open() as books:
            rows = list(books["machines"].values())
        return sorted(one["state"] for one in rows if one["state"] != "terminated")

    def check(self, *ends: list[str]) -> None:
        """What lives is one of the ends that there may be, and the catalog knows each of it."""
        states = self.living()
        assert states in ends, self.engines.log()
        catalog = open_catalog(self.root / "home")
        try:
            rented = [one for one in catalog.instances.list() if one.cloud_id and not one.is_gone]
            assert len(rented) == len(states)
            assert {one.cloud_id for one in rented} == self._ids()
            assert catalog.orphans.list() == []
            assert catalog.launches.may_live() == []
        finally:
            catalog.close()

    def _ids(self) -> set[str]:
        with self.books.open() as books:
            return {key for key, one in books["machines"].items() if one["state"] != "terminated"}


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    made: list[Scene] = []

    def make(*asked: Asking, kind: str = "ToyCloud") -> Scene:
        scene = Scene(tmp_path / f"s{len(made)}", *asked, kind=kind)
        made.append(scene)
        return scene

    yield make
    for scene in made:
        scene.engines.close()


def box(catalog: Catalog) -> Instance:
    return catalog.instances.find("box")


def launch(catalog: Catalog) -> None:
    commands.submit_launch(catalog, catalog.paths, WISH)


def launch_group(catalog: Catalog) -> None:
    commands.submit_launch(
        catalog, catalog.paths, Wish("toy", "node", "gpu-1", regions=("north-1",), count=3)
    )


def launch_group_that_fails(catalog: Catalog) -> None:
    with ToyBooks(catalog.paths.home.parent / "cloud").open() as books:
        # Two machines are to be had, the third nowhere.
        books["faults"].append({"fault": Fault.CAPACITY, "on": "launch", "times": 99, "where": "north-1b"})
        books["faults"].append({"fault": Fault.CAPACITY, "on": "launch", "times": 1, "where": "north-1a"})
    launch_group(catalog)


def stop(catalog: Catalog) -> None:
    commands.submit_stop(catalog, box(catalog))


def start(catalog: Catalog) -> None:
    commands.submit_start(catalog, box(catalog))


def terminate(catalog: Catalog) -> None:
    commands.submit_terminate(catalog, box(catalog))


def launch_and_take_back(catalog: Catalog) -> None:
    launch(catalog)
    terminate(catalog)


def terminate_while_it_stops(catalog: Catalog) -> None:
    stop(catalog)
    terminate(catalog)


STORIES: dict[str, tuple[tuple[Asking, ...], Asking, list[list[str]]]] = {
    "launch": ((), launch, [["running"]]),
    "group": ((), launch_group, [["running"] * 3]),
    # A refusal that nobody lived to hear is followed by a request that the cloud carries out: all, or none.
    "group-that-fails": ((), launch_group_that_fails, [[], ["running"] * 3]),
    "stop": ((launch,), stop, [["stopped"]]),
    "start": ((launch, stop), start, [["running"]]),
    "terminate": ((launch,), terminate, [[]]),
    "taken-back": ((), launch_and_take_back, [[]]),
    "terminate-a-stop": ((launch,), terminate_while_it_stops, [[]]),
}


def kill_everywhere(scene: Scene, asking: Asking, ends: list[list[str]], step: int) -> tuple[int, int]:
    """Kill at every `step`-th checkpoint; how often, and how many checkpoints there are."""
    scene.again(asking)
    whole = scene.engines.run().checkpoints
    scene.check(ends[0])
    kills = 0
    for at in range(1, whole + 1, step):
        scene.again(asking)
        kills += scene.engines.run(kill_at=at).was_killed
        scene.engines.run()
        scene.check(*ends)
    return kills, whole


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
    if kind == "ToyListed" and story in {"stop", "start", "terminate-a-stop"}:
        pytest.skip("it cannot stop")
    before, asking, ends = STORIES[story]
    kills, whole = kill_everywhere(make_scene(*before, kind=kind), asking, ends, step=1)
    print(f"\n{kind}, {story}: killed at {kills} of {whole} checkpoints; 0 orphans, 0 doubles")


@pytest.mark.campaign
@pytest.mark.parametrize("kind", ["ToyCloud", "ToyByName", "ToyListed"])
def test_killed_at_random_instants(make_scene: Callable[..., Scene], kind: str) -> None:
    """Each round is killed up to three times before an engine may finish."""
    rounds = int(os.environ.get("CLOUDTUI_KILL_ROUNDS", "200"))
    scene = make_scene(kind=kind)
    instants = random_instants(7, 0.5)
    kills = 0
    for _ in range(rounds):
        scene.again(launch_group)
        for _ in range(3):
            kills += scene.engines.run(kill_after_s=next(instants)).was_killed
        scene.engines.run()
        scene.check(["running"] * 3)
    print(f"\n{kind}: {kills} kills in {rounds} group launches of 3; 0 orphans, 0 doubles")


def test_the_toy_counts_what_costs(tmp_path: Path) -> None:
    """The check itself can fail: a machine that no row knows is seen by it."""
    toy = Toy(tmp_path / "cloud")
    toy.stranger()
    assert toy.count() == 1
