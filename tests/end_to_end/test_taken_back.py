"""Spot machines of three clouds that are taken back, and their runs that go on elsewhere.

A real engine, a real sshd behind each machine, and the fakes of Google Cloud, Azure and Alibaba Cloud.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.clouds.alibaba_fake import FakeAlibaba
from tests.support.clouds.azure_fake import FakeAzure
from tests.support.clouds.fake_hosts import FakeHosts, engine
from tests.support.clouds.gcp_fake import FakeGcp
from tests.support.home import Home, wait_until

from cloudtui_engine.fleet import commands
from cloudtui_engine.kept import Kept, KeptSet
from cloudtui_engine.records.instance import NOTICED, PREEMPTED, Instance
from cloudtui_engine.records.launch import Wish
from cloudtui_engine.records.run import Attempt

pytestmark = [pytest.mark.sshd, pytest.mark.services, pytest.mark.timeout(900)]
JOB = """c=$CLOUDTUI_ATTEMPT/checkpoints
echo begins at $(cat $c/step || echo 0)
[ -e $c/step ] || echo 3 > $c/step
trap 'echo 7 > $c/step; exit 75' TERM
while :; do sleep 0.05; done"""
MOST_S = 250.0
"""A bound for what hangs, on a machine that has much else to do."""
UNSEEN = "alibaba"
"""Nobody hears of its end before it comes."""


@pytest.fixture
def clouds(sshd_here: None, tmp_path: Path) -> Iterator[dict[str, FakeHosts]]:
    with contextlib.ExitStack() as stack:
        made: dict[str, FakeHosts] = {}
        for fake in (FakeGcp(tmp_path), FakeAzure(), FakeAlibaba()):
            hosts = FakeHosts(stack.enter_context(fake), tmp_path / fake.provider.name)
            stack.callback(hosts.close)
            made[hosts.name] = hosts
        yield made


@pytest.fixture
def home(clouds: dict[str, FakeHosts], tmp_path: Path) -> Iterator[Home]:
    addresses = {"CLOUDTUI_ADDRESS_URL": f"{clouds['gcp'].fake.endpoint}/address"}
    env = {name: value for one in clouds.values() for name, value in one.fake.environment.items()}
    made = Home(tmp_path / "laptop" / "home", addresses | env)
    made.paths.home.mkdir(parents=True)
    process = engine(made.env, list(clouds.values()))
    wait_until(made.engine_pid, MOST_S, "the engine")
    yield made
    process.terminate()
    process.wait(MOST_S)


class Story:
    """A run on a spot machine of one cloud."""

    def __init__(self, home: Home, cloud: FakeHosts) -> None:
        self.name, self.cloud = cloud.name, cloud
        self._home, self._catalog = home, home.catalog()
        order = cloud.fake.order()
        wish = Wish(cloud.name, f"box-{cloud.name}", order.type, regions=(order.region,), spot=True,
                    lifetime_s=7200)  # fmt: skip
        (self._first,) = commands.submit_launch(self._catalog, home.paths, wish)
        self._run = ""
        self._early: KeptSet | None = None

    def begin(self) -> None:
        """A script works there, and its first checkpoint is here."""
        self._until(lambda: self.first.link_state == "up", "a link")
        words = ("--on", self.first.name, "--name", f"on-{self.first.name}", "--", "sh", "-c", JOB)
        self._run = str(self._home.json("run", "script", *words)["id"])
        self._early = self._until(self._kept, "a checkpoint")

    def hear(self) -> None:
        """The machine is told, so the job saves itself and that comes here."""
        self.cloud.made[-1][1].tell(100.0)
        self._until(lambda: self.first.cloud_reason == NOTICED, "the notice")
        self._until(lambda: self._kept() != self._early, "what it saved")
        self._until(lambda: self.attempt(1).state.is_finished, "its end")

    def lose(self) -> None:
        """The cloud takes the machine back."""
        self.cloud.take_back(self.first.cloud_id)
        commands.submit_look(self._catalog, self.name)

    def goes_on(self, begins: int) -> Instance:
        """The machine on which it goes on, from that checkpoint."""
        console = self._home.paths.console(self._run, 2)
        said = f"begins at {begins}\n"
        self._until(lambda: console.exists() and said in console.read_text(), said)
        return self._catalog.instances.get(self.attempt(2).instance_id)

    @property
    def first(self) -> Instance:
        return self._catalog.instances.get(self._first.id)

    def attempt(self, number: int) -> Attempt:
        return self._catalog.runs.attempt(self._run, number)

    def _kept(self) -> KeptSet | None:
        return Kept(self._home.paths, self._run).newest()

    def _until(self, condition: Callable[[], Any], what: str) -> Any:
        return wait_until(condition, MOST_S, f"{self.name}: {what}\n{self._home.log()}")


def test_a_run_goes_on_elsewhere_when_its_machine_is_taken_back(
    home: Home, clouds: dict[str, FakeHosts]
) -> None:
    stories = [Story(home, cloud) for cloud in clouds.values()]
    for one in stories:
        one.begin()
    for one in stories:
        if one.name != UNSEEN:
            one.hear()
    for one in stories:
        one.lose()
    for one in stories:
        fresh, lost = one.goes_on(3 if one.name == UNSEEN else 7), one.first
        assert (lost.cloud_state, lost.cloud_reason) == ("terminated", PREEMPTED), one.name
        assert (fresh.name, fresh.zone != lost.zone, fresh.spot) == (lost.name, True, True), one.name
        assert fresh.deadline_at == pytest.approx(lost.deadline_at, abs=2), (
            "it has no more time than the first"
        )
        assert str(one.attempt(1).state) == ("lost" if one.name == UNSEEN else "stopped"), one.name
        assert one.cloud.fake.count() == 1, one.name
