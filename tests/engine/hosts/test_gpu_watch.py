"""GPUs are looked at over links that are there, and of rented machines; never of what was not used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import a_run, open_catalog

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import UnreachableError
from cloudtui_engine.hosts.gpu_watch import BUSY_EVERY_S, DIAL_EVERY_S, IDLE_EVERY_S, MOST, STEP_S, GpuWatch
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.records.instance import Instance

QUIET = {"index": 0, "utilization": 0.0, "memory_used_bytes": 1, "memory_bytes": 2,
         "processes": [{"pid": 7, "user": "eve", "memory_bytes": 1, "command": "python"}]}  # fmt: skip


class FakeLinks:
    """Links to machines that answer, or are away."""

    def __init__(self, *up: str) -> None:
        self.up = set(up)
        self.asked: list[str] = []
        self.looked = threading.Semaphore(0)

    def has(self, name: str) -> bool:
        return name in self.up

    def to(self, name: str) -> Any:
        links = self

        class Link:
            is_up = name in links.up

            @contextmanager
            def session(self, _timeout: float) -> Iterator[Any]:
                try:
                    links.asked.append(name)
                    if name not in links.up:
                        raise UnreachableError("It is away.")
                    yield self
                finally:
                    links.looked.release()

            def request(self, verb: str, _args: Any, timeout: float) -> dict[str, Any]:
                assert verb == "gpus"
                return {"gpus": [QUIET]}

        return Link()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    facts = {"gpus": [{"index": 0, "name": "A10"}]}
    opened.instances.add(Instance("box", "box", "ssh", facts=facts))
    opened.instances.add(Instance("away", "away", "ssh", facts=facts))
    opened.instances.add(Instance("bare", "bare", "ssh"))
    rented = {"cloud_id": "i-1", "cloud_state": "running", "facts": facts}
    opened.instances.add(Instance("rented", "rented", "aws", seen_at=1.0, **rented))
    opened.instances.add(Instance("booting", "booting", "aws", **rented | {"cloud_id": "i-2"}))
    yield opened
    opened.close()


def test_who_is_looked_at_and_what_comes_of_it(catalog: Catalog) -> None:
    links, now = FakeLinks("box", "bare"), 0.0
    watch = GpuWatch(catalog, cast(Links, links), clock=lambda: now)

    def step(after: float, looks: int) -> list[str]:
        nonlocal now
        now += after
        links.asked.clear()
        watch.step()
        for _ in range(looks):
            assert links.looked.acquire(timeout=10)
        for thread in [*watch._looking.values(), *watch._dialling.values()]:
            thread.join(10)
        return sorted(links.asked)

    assert step(0, 2) == ["box", "rented"]  # nothing is connected to that was not used, and costs nothing
    box = catalog.instances.get("box")
    assert box.idle_since is not None
    assert box.gpus[0]["processes"][0]["user"] == "eve"
    assert catalog.instances.get("rented").idle_since is None  # no answer, no word
    assert step(STEP_S, 0) == []
    assert step(IDLE_EVERY_S, 1) == ["box"]
    catalog.runs.create(a_run("waits"), ["box"])
    assert step(IDLE_EVERY_S, 1) == ["box"]
    assert catalog.instances.get("box").idle_since is None  # something is queued for it
    assert step(DIAL_EVERY_S - 35, 1) == ["rented"]  # a minute after the first time
    assert step(35 + BUSY_EVERY_S - DIAL_EVERY_S, 1) == ["box"]


def test_dead_machines_never_take_a_living_ones_turn(catalog: Catalog) -> None:
    facts = {"gpus": [{"index": 0, "name": "A10"}]}
    for number in range(2 * MOST):
        rented = {"cloud_id": f"i-9{number}", "cloud_state": "running", "facts": facts, "seen_at": 1.0}
        catalog.instances.add(Instance(f"dead-{number}", f"dead-{number}", "aws", **rented))
    now, back = 0.0, threading.Event()

    def stuck(_timeout: float) -> Any:
        back.wait(30)
        raise UnreachableError("It is away.")

    class Stuck(FakeLinks):
        def to(self, name: str) -> Any:
            link = super().to(name)
            if name not in self.up:
                link.session = stuck
            return link

    links = Stuck("box")
    watch = GpuWatch(catalog, cast(Links, links), clock=lambda: now)
    try:
        for turn in range(4):
            watch.step()
            assert links.looked.acquire(timeout=10), turn
            assert len(watch._dialling) == MOST
            watch._looking["box"].join(10)
            now += IDLE_EVERY_S
    finally:
        back.set()
    assert links.asked == ["box"] * 4
