"""A home and a cloud before something is asked of its fleet, to be had again and again; and what is asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from tests.engine.catalog.helpers import open_catalog
from tests.engine.fleet.killing import Engines, Template
from tests.support.clouds.faults import Fault
from tests.support.clouds.http_fake import HttpFake
from tests.support.clouds.moto_sshd import Moto
from tests.support.clouds.toy_books import ToyBooks

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import commands
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Wish
from cloudtui_providers.base import CloudState, Order, Provider

NOBODY = "127.255.255.254"
"""Where no host answers."""


class Cloud(Protocol):
    """The cloud's side of a scene."""

    kind: str
    """As `killing.Engines` has it."""
    where: str
    environment: Mapping[str, str]
    wish: Wish

    def keep(self) -> None:
        """What it is now is what `restore` brings back."""
        ...

    def restore(self) -> None: ...

    def only(self, most: int) -> None:
        """So many machines are to be had now."""
        ...

    def living(self) -> dict[str, str]:
        """The state of each machine that it knows and that has not ended, by its own books."""
        ...


class ToyAtHand:
    """A toy cloud in a folder of the scene's root, which is kept and restored with that."""

    wish = Wish("toy", "box", "gpu-1", regions=("north-1",))
    environment: Mapping[str, str] = {}

    def __init__(self, root: Path, kind: str = "ToyCloud") -> None:
        self.kind, self.where = kind, str(root / "cloud")
        self.books = ToyBooks(root / "cloud")
        self.books.set(address=NOBODY, port=9)

    def keep(self) -> None:
        """By the root's copy."""

    def restore(self) -> None:
        """By the root's copy."""

    def only(self, most: int) -> None:
        self.books.fail(Fault.CAPACITY, times=99, where="north-1b")
        self.books.fail(Fault.CAPACITY, times=1, where="north-1a")

    def living(self) -> dict[str, str]:
        with self.books.open() as books:
            rows = books["machines"]
        return {key: one["state"] for key, one in rows.items() if one["state"] != "terminated"}


class FakeWithOrder(Protocol):
    """What of a fake is asked here beside what `HttpFake` has."""

    @property
    def provider(self) -> Provider: ...

    @property
    def environment(self) -> Mapping[str, str]: ...

    def order(self) -> Order: ...


class HttpAtHand:
    """A fake in this process; engines reach it on loopback."""

    def __init__(self, fake: Any) -> None:
        self._fake: HttpFake = fake
        self._provider: Provider = fake.provider
        order: Order = fake.order()
        self._region = order.region
        self.kind, self.where = type(fake).__module__.rpartition(".")[2], self._fake.endpoint
        self.environment = {"CLOUDTUI_ADDRESS_URL": f"{self.where}/address", **fake.environment}
        self.wish = Wish(self._provider.name, "box", order.type, regions=(order.region,))
        self._fake.moves, self._fake.address = True, NOBODY
        self._kept = self._fake.keep()

    def keep(self) -> None:
        self._kept = self._fake.keep()

    def restore(self) -> None:
        self._fake.restore(self._kept)

    def only(self, most: int) -> None:
        self._fake.most = most

    def living(self) -> dict[str, str]:
        self._fake.settle()
        found = self._provider.machines(self._region, "")
        assert found.complete
        states = {one.id: str(one.state) for one in found.machines if one.state is not CloudState.TERMINATED}
        assert sum(state == "running" for state in states.values()) == self._fake.count()
        assert self._fake.wrong == []
        return states


class MotoAtHand:
    """AWS by moto, in a process of its own."""

    kind = "moto_sshd"

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        order = moto.order()
        self.where, self.environment = moto.endpoint, moto.environment
        self.wish = Wish("aws", "box", order.type, regions=(order.region,))

    def keep(self) -> None:
        self._moto.do("keep")

    def restore(self) -> None:
        self._moto.do("restore")

    def only(self, most: int) -> None:
        self._moto.do("only", most=most)

    def living(self) -> dict[str, str]:
        self._moto.settle()
        return {one["id"]: one["state"] for one in self._moto.machines() if one["costs"]}


Asking = Callable[["Scene", Catalog], object]


class Scene:
    """See above.

    Args:
        root: for the home; the toy's books are there, too.
        cloud: what makes the cloud's side, or that itself.
        asked: what is done before the template is taken.
    """

    def __init__(self, root: Path, cloud: Cloud, *asked: Asking) -> None:
        self.root, self.cloud = root, cloud
        self.wish = cloud.wish
        self.engines = Engines(root / "home", cloud.kind, cloud.where, cloud.environment)
        for one in asked:
            self.ask(one)
            self.engines.run()
        self._template = Template(root)
        cloud.keep()

    def ask(self, asking: Asking) -> None:
        self.engines.begin()
        catalog = open_catalog(self.root / "home")
        try:
            asking(self, catalog)
        finally:
            catalog.close()

    def again(self, asking: Asking) -> None:
        """The home and its cloud as they were, with this asked."""
        self._template.restore()
        self.cloud.restore()
        self.ask(asking)

    def check(self, *ends: list[str]) -> None:
        """What lives is one of the ends that there may be, and the catalog knows each of it."""
        living = self.cloud.living()
        assert sorted(living.values()) in ends, f"{living}\n{self._told()}\n{self.engines.log()}"
        catalog = open_catalog(self.root / "home")
        try:
            rented = [one for one in catalog.instances.list() if one.cloud_id and not one.is_gone]
            assert len(rented) == len(living)
            assert {one.cloud_id for one in rented} == set(living)
            assert catalog.orphans.list() == []
            assert catalog.launches.may_live() == []
        finally:
            catalog.close()

    def _told(self) -> list[str]:
        """What the engine thinks of it."""
        catalog = open_catalog(self.root / "home")
        try:
            machines = [f"{one.name}: {one.wanted}, {one.cloud_state}" for one in catalog.instances.list()]
            return [
                *machines,
                *(f"{one.kind}: {one.state} {one.error}" for one in catalog.operations.list(30)),
            ]
        finally:
            catalog.close()


# -- what is asked


def box(catalog: Catalog) -> Instance:
    return catalog.instances.find("box")


def launch(scene: Scene, catalog: Catalog) -> None:
    commands.submit_launch(catalog, catalog.paths, scene.wish)


def launch_group(scene: Scene, catalog: Catalog) -> None:
    commands.submit_launch(catalog, catalog.paths, replace(scene.wish, name="node", count=3))


def launch_group_that_fails(scene: Scene, catalog: Catalog) -> None:
    """Two machines are to be had, the third nowhere."""
    scene.cloud.only(2)
    launch_group(scene, catalog)


def stop(_: Scene, catalog: Catalog) -> None:
    commands.submit_stop(catalog, box(catalog))


def start(_: Scene, catalog: Catalog) -> None:
    commands.submit_start(catalog, box(catalog))


def terminate(_: Scene, catalog: Catalog) -> None:
    commands.submit_terminate(catalog, box(catalog))


def launch_and_take_back(scene: Scene, catalog: Catalog) -> None:
    launch(scene, catalog)
    terminate(scene, catalog)


def terminate_while_it_stops(scene: Scene, catalog: Catalog) -> None:
    stop(scene, catalog)
    terminate(scene, catalog)


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
NEEDS_STOP = {"stop", "start", "terminate-a-stop"}


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


def kill_at_random(scene: Scene, wanted: int) -> tuple[int, int]:
    """Launches of three, each killed up to three times before an engine may finish, until so many kills.

    They come at any instant of the time that an engine lately took which was not killed.

    Returns:
        Kills, launches.
    """
    scene.again(launch_group)
    chance, longest_s, kills, rounds = random.Random(7), scene.engines.run().took_s, 0, 0
    while kills < wanted:
        scene.again(launch_group)
        for _ in range(3):
            ended = scene.engines.run(kill_after_s=chance.uniform(0.0, longest_s))
            kills += ended.was_killed
            longest_s = longest_s if ended.was_killed else ended.took_s
        longest_s = scene.engines.run().took_s
        scene.check(["running"] * 3)
        rounds += 1
        print(f"{kills} kills in {rounds} launches of three", flush=True)
    return kills, rounds
