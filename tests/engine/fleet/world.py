"""A home, a toy cloud, and a clock that goes only when somebody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.engine.catalog.helpers import open_catalog
from tests.support.clouds.toy import Toy, ToyCloud

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import commands, ending, installation, launching, looking
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.fleet.means import Means
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import AttemptState, Launch, Wish
from cloudtui_providers import base

LOOK_EVERY_S = 4.0
MOST_WAITS = 5000


class FastClock(Clock):
    """Time passes by waiting, and only so; `passing` is called each time."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._now = now
        self.set_s = 0.0
        """By how much somebody has set it."""
        self.waits = 0
        self.passing: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self._now + self.set_s

    def steady(self) -> float:
        return self._now

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        self.waits += 1
        assert self.waits < MOST_WAITS, "it waits for ever"
        self._now += max(seconds, 0.001)
        self.passing()
        return wake.is_set()


class World:
    """An engine's means without an engine: stories are called as functions, and look by themselves.

    Args:
        folder: for the home, and the toy's books.
        kind: of a toy.
        cloud: a fake instead of it.
    """

    def __init__(self, folder: Path, kind: type[ToyCloud] = ToyCloud, *, cloud: Any = None) -> None:
        self.folder = folder
        self.cloud: Toy = cloud or Toy(folder / "cloud", kind)
        self.name = self.cloud.provider.name
        order = self.cloud.order()
        self._usual = {"type": order.type, "regions": (order.region,)}
        self.catalog: Catalog = open_catalog(folder / "home")
        self.paths = self.catalog.paths
        self.said: list[str] = []
        self.clock = FastClock(0.0)
        self.closing = threading.Event()
        self.means = Means(self.catalog, self.paths, self.closing, self.clock, self.said.append)
        self._looked = 0.0
        self.clock.passing = self._pass
        installation.ensure(self.catalog, self.paths)

    def _pass(self) -> None:
        """What the dispatcher does beside a story: a look every few seconds."""
        if self.clock.now() - self._looked >= LOOK_EVERY_S:
            self._looked = self.clock.now()
            self.look()

    def look(self, *, everywhere: bool = False) -> Any:
        return looking.look(self.means, self.name, everywhere=everywhere)

    def ask(self, **wish: Any) -> Instance:
        """A launch is submitted; time begins with it."""
        return self.ask_all(**wish)[0]

    def ask_all(self, **wish: Any) -> list[Instance]:
        wanted = Wish(self.name, **self._usual | wish)
        made = commands.submit_launch(self.catalog, self.paths, wanted)
        self.clock._now = max(self.clock._now, made[0].created_at)
        return made

    def launch(self, instance: Instance) -> Any:
        return launching.launch(self.means, instance.launch_id)

    def launched(self, **wish: Any) -> Instance:
        instance = self.ask(**wish)
        self.launch(instance)
        return self.row(instance)

    def end(self, instance: Instance) -> Any:
        commands.submit_terminate(self.catalog, self.row(instance))
        return ending.terminate(self.means, instance.id)

    def row(self, instance: Instance) -> Instance:
        return self.catalog.instances.get(instance.id)

    def the_launch(self, instance: Instance) -> Launch:
        return self.catalog.launches.get(instance.launch_id)

    def states(self, instance: Instance) -> list[AttemptState]:
        return [one.state for one in self.catalog.launches.attempts(instance.launch_id)]

    def zones(self, instance: Instance) -> list[str]:
        return [one.zone for one in self.catalog.launches.attempts(instance.launch_id)]

    def living(self) -> list[str]:
        """The tokens of machines that cost something, by the cloud's own books."""
        with self.cloud.books.open() as books:
            rows = list(books["machines"].values())
        return [one["token"] for one in rows if one["state"] not in {"terminating", "terminated"}]

    def alien(self, owner: str = "", launch: str = "foreign") -> base.Machine:
        """A machine of an owner (ours where none is named) that nobody here asked for."""
        order = self.cloud.order(owner=owner or installation.owner(self.catalog))
        order = replace(order, launch=launch)
        return self.cloud.provider.launch(self.cloud.provider.plan(order))

    def forget_time(self, seconds: float) -> None:
        """Let time pass, with looks."""
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self.clock.wait(60.0, self.closing)

    def close(self) -> None:
        self.catalog.close()
