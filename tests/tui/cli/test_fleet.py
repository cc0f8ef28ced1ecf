"""Machines rented by commands: a toy cloud, and the fleet's own stories in the place of an engine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import a_run, finish
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault
from tests.support.clouds.toy import ToyCloud
from tests.tui.cli.conftest import Said
from tests.tui.cli.fake_engine import FakeEngine

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.fleet import ending, installation, launching, letting_in, looking, market, survey
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.market import check as check_cloud
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.launch import Orphan
from cloudtui_engine.records.operation import Operation
from cloudtui_providers import registry

Cli = Callable[..., Said]


class FleetEngine(FakeEngine):
    """Carries out what the fleet is asked for, on the world's clock."""

    def __init__(self, world: World) -> None:
        super().__init__(world.paths)
        self.world = world

    def _told(self, catalog: Catalog, operation: Operation, story: Callable[[], Mapping[str, Any]]) -> Any:
        try:
            return dict(story())
        except CloudtuiError as error:
            catalog.operations.fail(operation.id, error.as_dict())
            return None

    def _provider_offers(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: market.offers(catalog, one.target, one.args["wanted"]))

    def _provider_check(self, _catalog: Catalog, one: Operation) -> Any:
        """Beside the others, for it waits for them."""
        threading.Thread(target=self._check, args=(one,), daemon=True).start()

    def _check(self, one: Operation) -> None:
        with closing(Catalog.open(self.paths)) as catalog:
            links = SimpleNamespace(to=lambda _id: SimpleNamespace(session=lambda _s: nullcontext()))
            context = Context(catalog, self.paths, cast("Any", links), cast("Any", None), self._end)
            catalog.operations.finish(one.id, dict(check_cloud(context, one)))

    def _instance_launch(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: launching.launch(self.world.means, one.args["launch"]))

    def _instance_stop(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: ending.stop(self.world.means, one.target))

    def _instance_start(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: ending.start(self.world.means, one.target))

    def _instance_terminate(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: ending.terminate(self.world.means, one.target))

    def _instance_open(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: letting_in.let_in(self.world.means, one.target))

    def _instance_deadline(self, _catalog: Catalog, _one: Operation) -> Any:
        return {}

    def _fleet_survey(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: survey.ask(self.world.means, one.target, lambda *_: None))

    def _fleet_reconcile(self, catalog: Catalog, one: Operation) -> Any:
        return self._told(catalog, one, lambda: looking.look(self.world.means, one.target, everywhere=True))


@pytest.fixture
def world(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path)
    assert made.paths.home == paths.home
    made.clock._now = time.time()
    monkeypatch.setattr(registry, "names", lambda: ("toy",))
    monkeypatch.setattr(registry, "provider", lambda _name: made.cloud.provider)
    yield made
    made.close()


@pytest.fixture
def engine(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[FleetEngine]:
    from cloudtui_engine import operations

    fake = FleetEngine(world)
    monkeypatch.setattr(operations, "ensure_engine", fake.ensure)
    yield fake
    fake.close()


def test_offers_come_by_price(cli: Cli, world: World) -> None:
    told = cli("instance", "offers", "--provider", "toy", "--gpu", "a100", "--json")
    assert told.status == 0
    assert {one["type"] for one in told.json} == {"gpu-8"}
    prices = [one["price_usd_per_hour"] for one in cli("instance", "offers", "--json").json]
    assert prices == sorted(prices)
    assert "Toy A100 x8" in cli("instance", "offers").out
    assert "Nothing fits" in cli("instance", "offers", "--gpu", "h100").out
    world.cloud.fail(Fault.AUTH, "offers")
    assert cli("instance", "offers", "--json").json["error"]["code"] == "auth"


def test_a_machine_from_its_launch_to_its_end(cli: Cli, catalog: Catalog, world: World) -> None:
    asked = cli("instance", "launch", "box", "--provider", "toy", "--gpu", "t4", "--deadline", "4h", "--json")
    assert asked.status == 0
    assert (asked.json["name"], asked.json["wanted"], asked.json["provider"]) == ("box", "running", "toy")
    assert asked.json["deadline_at"]
    assert [one.kind for one in catalog.operations.list()] == ["instance.launch"], "it is committed"
    until(lambda: not catalog.launches.open())
    taken = cli("instance", "launch", "box", "--provider", "toy", "--type", "gpu-1", "--json")
    assert (taken.status, taken.json["error"]["code"]) == (4, "name_taken")
    stopped = cli("instance", "stop", "box", "--follow", "--json").json
    assert (stopped["wanted"], stopped["cloud_state"], stopped["price_usd_per_hour"]) == (
        "stopped", "stopped", 0.5,
    )  # fmt: skip
    assert cli("instance", "forget", "box", "--json").json["error"]["code"] == "rented"
    assert cli("instance", "start", "box", "--follow", "--json").json["cloud_state"] == "running"
    before = catalog.instances.find("box").deadline_at or 0
    cli("instance", "deadline", "box", "+2h")
    assert (catalog.instances.find("box").deadline_at or 0) - before == pytest.approx(7200)
    assert "in 5h 59m; stopped then, the disk stays" in cli("instance", "deadline", "box").out
    unsure = cli("instance", "terminate", "box", "--json")
    assert (unsure.status, unsure.json["error"]["code"]) == (4, "needs_yes")
    gone = cli("instance", "terminate", "box", "--yes", "--follow", "--json").json
    assert (gone["wanted"], gone["cloud_state"]) == ("terminated", "terminated")
    assert world.living() == []
    assert cli("instance", "forget", "box").status == 0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_would_be_lost_has_to_be_named(cli: Cli, catalog: Catalog) -> None:
    box = cli("instance", "launch", "box", "--provider", "toy", "--type", "gpu-1", "--follow", "--json").json
    catalog.runs.create(a_run("first"), [box["id"]])
    refused = cli("instance", "terminate", "box", "--yes", "--json")
    assert (refused.status, refused.json["error"]["code"]) == (4, "unpulled")
    assert "first" in refused.json["error"]["message"]
    assert cli("instance", "stop", "box", "--json").json["error"]["code"] == "live"
    assert cli("instance", "stop", "box", "--yes", "--follow", "--json").json["cloud_state"] == "stopped"
    assert (
        cli("instance", "terminate", "box", "--lose", "first", "--json").json["error"]["code"] == "needs_yes"
    )
    lost = cli("instance", "terminate", "box", "--lose", "other,first", "--yes", "--follow", "--json")
    assert (lost.status, lost.json["cloud_state"]) == (0, "terminated")


def test_who_has_moved_to_another_network_is_let_in(
    cli: Cli, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--provider", "toy", "--type", "gpu-1", "--ssh-from", "198.51.100.0/24", "--follow", "--json")
    box = cli("instance", "launch", "box", *words).json
    refused = cli("instance", "open", "box", "--json")
    assert (refused.status, "keeps nobody" in refused.json["error"]["message"]) == (5, True)
    asked: list[Any] = []
    monkeypatch.setattr(ToyCloud, "let_in", lambda _cloud, *order: asked.append(order) or "203.0.113.7/32")
    assert "lets this machine in now" in cli("instance", "open", "box").out
    assert asked == [("north-1", installation.owner(catalog), ("198.51.100.0/24",))]
    assert "203.0.113.7/32" in catalog.events.list(box["id"])[-1].text
    monkeypatch.setattr(ToyCloud, "capabilities", replace(ToyCloud.capabilities, firewall=True))
    assert "instance open box" not in cli("instance", "show", "box").out
    catalog.instances.update(box["id"], link_detail="It does not answer.")
    assert "cloudtui instance open box lets you in" in " ".join(cli("instance", "show", "box").out.split())


def test_whose_disk_goes_with_it_is_said_with_its_end(cli: Cli, catalog: Catalog) -> None:
    told = cli("instance", "launch", "box", "--provider", "toy", "--type", "gpu-1", "--spot").out
    ends = time.strftime("%H:%M", time.localtime(catalog.instances.find("box").deadline_at))
    assert f"unpulled results are lost at {ends}" in " ".join(told.split())


def test_a_machine_that_was_taken_away_is_asked_for_again(cli: Cli, world: World) -> None:
    first = cli(
        "instance", "launch", "box", "--provider", "toy", "--type", "gpu-1", "--follow", "--json"
    ).json
    assert cli("instance", "replace", "box", "--json").json["error"]["code"] == "not_lost"
    world.cloud.take_back(first["cloud_id"])
    world.look()
    again = cli("instance", "replace", "box", "--follow", "--json").json
    assert (again["name"], again["cloud_state"]) == ("box", "running")
    assert again["cloud_id"] != first["cloud_id"]


def test_a_launch_that_fails_says_why(cli: Cli, world: World) -> None:
    world.cloud.fail(Fault.CAPACITY, times=99)
    words = ("instance", "launch", "--provider", "toy", "--type", "gpu-1", "--follow", "--json")
    failed = cli(*words)
    assert (failed.status, failed.json["error"]["code"]) == (5, "capacity")
    assert failed.json["error"]["hint"]
    assert [one["name"] for one in cli("instance", "list", "--json").json] == ["local"]
    told = cli("instance", "show", "toy-gpu-1-1", "--json")
    assert told.status == 3
    assert "could not be rented. None to be had" in told.json["error"]["message"]
    world.cloud.heal()
    several = cli(*words, "--count", "3")
    assert [one["cloud_state"] for one in several.json] == ["running"] * 3
    assert cli("instance", "launch", "--provider", "nimbus", "--type", "x", "--json").status == 3
    assert cli("instance", "launch", "--provider", "toy", "--json").status == 2
    assert cli("instance", "launch", "--provider", "toy", "--gpu", "t4", "--deadline", "soon").status == 2
    cli("budget", "set", "1/month")
    assert cli(*words).json["error"]["code"] == "budget"


def test_orphans_are_taken_up_or_ended(cli: Cli, catalog: Catalog) -> None:
    for number in (1, 2):
        orphan = Orphan("toy", "north-1", f"toy-{number}9", "", "", "gpu-1", False, "running", Address(),
                        0.5, 1000.0, 2000.0)  # fmt: skip
        catalog.orphans.save(orphan)
    told = cli("instance", "orphans", "--json").json
    assert [(one["id"], one["cloud_state"]) for one in told] == [("toy-19", "running"), ("toy-29", "running")]
    assert "toy-29" in cli("instance", "orphans").out
    cli("instance", "offers")
    catalog.orphans.save(replace(catalog.orphans.find("toy-29"), price=None))
    told = cli("instance", "orphans", "--json").json
    assert told[1]["price_usd_per_hour"] == 0.5, "what is known of its type"
    assert cli("instance", "orphans", "adopt").status == 2
    words = ("instance", "orphans", "adopt", "toy-19", "--name", "found", "--json")
    assert cli(*words, "--deadline", "soon").status == 2
    taken = cli(*words, "--deadline", "2h", "--switch").json
    left_s = datetime.fromisoformat(taken["deadline_at"]).timestamp() - time.time()
    assert (taken["name"], 7000 < left_s <= 7200) == ("found", True)
    (asked,) = catalog.operations.open_for(taken["id"])
    assert (asked.kind, asked.args) == ("instance.deadline", {"asked": True, "arm": True})
    assert cli("instance", "orphans", "terminate", "toy-29", "--json").json["error"]["code"] == "needs_yes"
    ended = cli("instance", "orphans", "terminate", "toy-29", "--yes", "--json").json
    assert ended["wanted"] == "terminated"
    assert "No orphans" in cli("instance", "orphans").out


def test_results_on_an_orphan_are_named_before_it_ends(cli: Cli, catalog: Catalog) -> None:
    box = Instance("i1", "box", "toy", cloud_id="toy-39", region="north-1", cloud_state="vanished")
    catalog.instances.add(box)
    run = catalog.runs.create(a_run("cnn-3"), [box.id])
    finish(catalog, run.id)
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "file", 3, "ab" * 32)])
    catalog.instances.forget(box.id, 1000.0)
    catalog.orphans.save(
        Orphan("toy", "north-1", "toy-39", "", "box", "gpu-1", False, "running", Address(), 0.5, 1e3, 2e3)
    )
    words = ("instance", "orphans", "terminate", "toy-39", "--json")
    refused = cli(*words, "--yes")
    assert (refused.status, refused.json["error"]["code"]) == (4, "unpulled")
    assert "cnn-3 (1 file)" in refused.json["error"]["message"]
    assert cli(*words, "--lose", "cnn-3").json["error"]["code"] == "needs_yes"
    assert cli(*words, "--lose", "cnn-3", "--yes").json["wanted"] == "terminated"


def test_clouds_say_what_they_can_and_need(cli: Cli, world: World) -> None:
    (toy,) = cli("provider", "list", "--json").json
    assert (toy["name"], toy["can"]["stop"], toy["problem"]) == ("toy", True, "")
    assert cli("provider", "check", "toy", "--json").json == [
        {"name": "credentials", "ok": True, "text": "The toy cloud is here.", "hint": ""}
    ]
    world.cloud.fail(Fault.AUTH, "check")
    refused = cli("provider", "check", "toy", "--json")
    assert refused.status == 5
    assert not json.loads(refused.out)[0]["ok"]
    assert cli("provider", "check", "nimbus").status == 3


def test_a_real_machine_is_had_reached_and_ended_for_a_check(cli: Cli, world: World) -> None:
    told = cli("provider", "check", "toy", "--max-usd", "0.20", "--json")
    assert told.status == 0, told.out
    assert [(one["name"], one["ok"]) for one in told.json] == [
        ("credentials", True), ("launch", True), ("ssh", True), ("terminate", True),
    ]  # fmt: skip
    assert "small-1" in told.json[1]["text"], "the cheapest"
    assert world.cloud.launches() == 1
    assert world.living() == []
    assert [one["name"] for one in cli("instance", "list", "--json").json] == ["local"]
    world.cloud.fail(Fault.QUOTA, times=18)
    words = ("instance", "launch", "--provider", "toy", "--type", "gpu-1", "--follow", "--json")
    quota = cli(*words)
    assert (quota.status, quota.json["error"]["code"]) == (4, "quota")
    refused = cli("provider", "check", "toy", "--max-usd", "0.20", "--json")
    assert refused.status == 5
    assert [(one["name"], one["ok"]) for one in refused.json[1:]] == [("machine", False), ("terminate", True)]
    assert cli("provider", "check", "toy", "--max-usd", "-1").status == 2


def test_a_home_that_was_copied_says_which_it_is(cli: Cli, catalog: Catalog, world: World) -> None:
    catalog.settings.set("installation.bound", {"machine": "", "home": "/elsewhere"})
    words = ("instance", "launch", "--provider", "toy", "--type", "gpu-1", "--json")
    refused = cli(*words)
    assert (refused.status, refused.json["error"]["code"]) == (4, "installation")
    assert "cloudtui provider claim moved" in refused.json["error"]["hint"]
    assert cli("provider", "claim", "moved").status == 0
    assert cli("provider", "claim", "nocloud").status == 3
    assert cli("provider", "claim", "toy").status == 0
    assert catalog.settings.get("fleet.account.toy") == "next", "whichever it is asked in next"
    assert cli(*words).status == 0
