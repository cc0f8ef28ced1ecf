"""Stop, start, terminate: by the cloud's word, as often as it takes; groups all or nothing; results named."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import a_run, finish
from tests.engine.fleet.world import FastClock, World
from tests.support.clouds.faults import Fault
from tests.support.clouds.toy import ToyCloud, ToyListed

from cloudtui_engine import operations
from cloudtui_engine.errors import CloudtuiError, RefusedError, UsageError
from cloudtui_engine.fleet import commands, due, ending, whose
from cloudtui_engine.money.amounts import begin_of
from cloudtui_engine.records.instance import VANISHED, Instance
from cloudtui_engine.records.launch import LaunchState, Wish
from cloudtui_engine.records.operation import OperationState
from cloudtui_providers.base import OWNER_TAG, Listing
from cloudtui_providers.errors import CloudUnreachable, ThrottledError

MakeWorld = Callable[..., World]


def submit_stop(world: World, instance: Instance) -> None:
    commands.submit_stop(world.catalog, world.row(instance))


def test_stopped_started_and_ended_by_the_clouds_word(world: World) -> None:
    instance = world.launched()
    submit_stop(world, instance)
    assert ending.stop(world.means, instance.id)["state"] == "stopped"
    commands.submit_start(world.catalog, world.row(instance))
    assert ending.start(world.means, instance.id)["state"] == "running"
    assert world.row(instance).address.host == "127.0.0.1"
    assert world.end(instance)["state"] == "terminated"
    assert world.living() == []
    assert world.catalog.notices.since(0)[1] == [], "what was asked for is no news"


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BROKEN, Fault.THROTTLE, Fault.UNREACHABLE])
def test_what_passes_is_said_again(world: World, fault: Fault) -> None:
    instance = world.launched()
    world.cloud.fail(fault, on="stop", times=2)
    submit_stop(world, instance)
    assert ending.stop(world.means, instance.id)["state"] == "stopped"
    world.cloud.fail(fault, on="terminate", times=2)
    assert world.end(instance)["state"] == "terminated"


def test_a_stop_is_done_when_the_cloud_has_said_yes_to_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some take their own limit back in a second step: one that stops without it is ended with its disk."""
    instance, whole, tried = world.launched(), ToyCloud.stop, []

    def stop(cloud: ToyCloud, region: str, machine: str) -> None:
        tried.append(machine)
        whole(cloud, region, machine)
        if len(tried) == 1:
            world.look()
            world.look()
            raise ThrottledError("Its limit was not taken back.")

    monkeypatch.setattr(ToyCloud, "stop", stop)
    submit_stop(world, instance)
    assert ending.stop(world.means, instance.id)["state"] == "stopped"
    assert len(tried) == 2


def test_an_end_that_is_refused_stays_wanted(world: World) -> None:
    instance = world.launched()
    world.cloud.fail(Fault.AUTH, on="terminate")
    with pytest.raises(CloudtuiError, match="toy cloud says") as raised:
        world.end(instance)
    assert (raised.value.code, raised.value.exit_status) == ("auth", 6)
    row = world.row(instance)
    assert (row.wanted, row.cloud_state) == ("terminated", "running"), "never ended without the cloud's word"
    facts = due.read(world.catalog, world.clock)
    assert ("instance.terminate", instance.id) in facts.busy, (
        "the person's own operation is not carried out here"
    )
    for one in world.catalog.operations.open_for(instance.id):
        world.catalog.operations.fail(one.id, {})
    kinds = [kind for kind, *_ in due.due(due.read(world.catalog, world.clock))]
    assert "instance.terminate" in kinds
    assert due.keeps_engine(world.catalog)


def test_a_stop_that_is_refused_is_not_wanted_any_more(world: World) -> None:
    instance = world.launched()
    world.cloud.fail(Fault.PERMISSION, on="stop")
    submit_stop(world, instance)
    with pytest.raises(CloudtuiError):
        ending.stop(world.means, instance.id)
    assert world.row(instance).wanted == "running"


def test_no_later_wish_takes_an_end_back(world: World) -> None:
    instance = world.launched()
    seen_before = world.row(instance)
    commands.submit_terminate(world.catalog, seen_before)
    for wish in (commands.submit_stop, commands.submit_start):
        with pytest.raises(RefusedError, match="being terminated"):
            wish(world.catalog, seen_before)
    assert world.row(instance).wanted == "terminated"


def test_results_on_a_machine_that_came_back_are_named_before_it_ends(world: World) -> None:
    """It had vanished, and was taken from the list: it is an orphan with results."""
    instance = world.launched(name="box")
    run = world.catalog.runs.create(a_run("cnn-3"), [instance.id])
    finish(world.catalog, run.id)
    world.catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "file", 3, "ab" * 32)])
    world.catalog.instances.update(instance.id, cloud_state=VANISHED)
    world.catalog.instances.forget(instance.id, world.clock.now())
    world.look(everywhere=True)
    (orphan,) = world.catalog.orphans.list()
    (lost,) = commands.orphan_at_stake(world.catalog, orphan)
    assert str(lost) == "cnn-3 (1 file)"
    with pytest.raises(RefusedError, match="cnn-3") as refused:
        commands.submit_terminate_orphan(world.catalog, world.paths, orphan)
    assert f"orphans adopt {orphan.cloud_id}" in refused.value.hint, (
        "a run is pulled from what is on the list"
    )
    assert world.catalog.orphans.list() == [orphan]
    commands.submit_terminate_orphan(world.catalog, world.paths, orphan, unpulled=["cnn-3"])
    assert world.row(instance).wanted == "terminated"


def test_what_another_account_does_not_know_is_not_ended(world: World, tmp_path: Path) -> None:
    instance = world.launched()
    ours, world.cloud.provider = world.cloud.provider, ToyCloud(tmp_path / "another")
    commands.submit_terminate(world.catalog, world.row(instance))
    for story in (lambda: ending.terminate(world.means, instance.id), world.look):
        with pytest.raises(RefusedError) as refused:
            story()
        assert refused.value.code == "account"
    row = world.row(instance)
    assert (row.wanted, row.cloud_state, row.missing_since) == ("terminated", "running", None)
    assert due.keeps_engine(world.catalog)
    assert "another account" in world.catalog.listings.list("toy")[0].problem
    world.cloud.provider = ours
    ending.terminate(world.means, instance.id)
    assert world.living() == []
    world.cloud.provider = ToyCloud(tmp_path / "another")
    assert world.means.cloud("toy"), "nothing is left in the one before"


class Rekeyed(ToyListed):
    """Asked with one key, then with another: of the same account, or of one without machines of ours."""

    key, strange = "first", False

    def account(self) -> str:
        if not self.key:
            raise CloudUnreachable("Nobody says whose key it is.")
        return self.key

    def machines(self, region: str, owner: str) -> Listing:
        return Listing(region, ()) if self.strange else super().machines(region, owner)


def test_a_new_key_is_believed_when_it_shows_a_machine_of_ours(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(Rekeyed)
    instance = world.launched()
    monkeypatch.setattr(Rekeyed, "key", "second")
    monkeypatch.setattr(Rekeyed, "strange", True)
    for _ in range(3):
        world.clock._now += 400.0
        with pytest.raises(RefusedError, match="another account"):
            world.look()
    with pytest.raises(RefusedError) as refused:
        world.end(instance)
    assert "cloudtui provider claim toy" in refused.value.hint
    row = world.row(instance)
    assert (row.cloud_state, row.missing_since, due.keeps_engine(world.catalog)) == ("running", None, True)
    monkeypatch.setattr(Rekeyed, "key", "")
    with pytest.raises(CloudtuiError, match="Nobody says"):
        world.look()
    monkeypatch.setattr(Rekeyed, "key", "third")
    monkeypatch.setattr(Rekeyed, "strange", False)
    assert world.look()["machines"] == 1, "it is a new key of the account that they are in"
    assert ending.terminate(world.means, instance.id)["state"] == "terminated"
    assert world.living() == []


def test_a_machine_that_was_taken_up_shows_whose_a_key_is_though_it_bears_anothers_mark(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(Rekeyed)
    instance = world.launched()
    with world.cloud.books.open() as books:
        books["machines"][instance.cloud_id]["tags"][OWNER_TAG] = "another home"
    monkeypatch.setattr(Rekeyed, "key", "second")
    assert world.means.cloud("toy")


def test_of_machines_that_were_ended_elsewhere_a_person_says_that_the_new_key_is_good(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(Rekeyed)
    instance = world.launched()
    world.cloud.forget(world.row(instance).cloud_id)
    monkeypatch.setattr(Rekeyed, "key", "second")
    with pytest.raises(RefusedError):
        world.look()
    whose.claim(world.catalog, "toy")
    world.look()
    world.forget_time(400.0)
    assert world.row(instance).cloud_state == VANISHED


def test_a_launch_whose_account_nobody_knows_begins_nothing_that_is_not_seen(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(Rekeyed)
    monkeypatch.setattr(Rekeyed, "account", lambda _cloud: "")
    instance = world.ask()
    with pytest.raises(CloudtuiError, match="does not say"):
        world.launch(instance)
    assert world.living() == []


def test_a_cloud_that_cannot_stop_says_so(make_world: MakeWorld) -> None:
    world = make_world(ToyListed)
    instance = world.launched()
    submit_stop(world, instance)
    with pytest.raises(CloudtuiError, match="cannot stop"):
        ending.stop(world.means, instance.id)
    assert (world.row(instance).wanted, world.row(instance).cloud_state) == ("running", "running")


def test_a_stop_gives_way_to_an_end(world: World) -> None:
    instance = world.launched()
    submit_stop(world, instance)
    commands.submit_terminate(world.catalog, world.row(instance))
    assert ending.stop(world.means, instance.id)["withdrawn"] is True
    assert ending.terminate(world.means, instance.id)["state"] == "terminated"


@pytest.mark.parametrize("kind", [ToyCloud, ToyListed])
def test_one_that_the_cloud_does_not_know_any_more_is_gone(
    make_world: MakeWorld, kind: type[ToyCloud]
) -> None:
    world = make_world(kind)
    instance = world.launched()
    world.cloud.forget(instance.cloud_id)
    assert world.end(instance)["state"] == "terminated"


def test_one_that_vanished_is_told_to_end_all_the_same(world: World) -> None:
    instance = world.launched()
    with world.cloud.books.open() as books:
        kept = books["machines"].pop(instance.cloud_id)
    world.forget_time(500)
    assert world.row(instance).cloud_state == VANISHED
    with world.cloud.books.open() as books:
        books["machines"][instance.cloud_id] = kept
    assert world.end(instance)["state"] == "terminated"
    assert world.living() == []


def test_what_is_gone_is_not_started(world: World) -> None:
    instance = world.launched()
    world.end(instance)
    with pytest.raises(RefusedError, match="terminated"):
        commands.submit_start(world.catalog, world.row(instance))


def test_a_living_machine_is_not_forgotten(world: World) -> None:
    instance = world.launched()
    with pytest.raises(RefusedError, match="costs money"):
        commands.check_forget(instance)
    world.end(instance)
    commands.check_forget(world.row(instance))


def test_asking_twice_is_asking_once(world: World) -> None:
    instance = world.launched()
    first = commands.submit_terminate(world.catalog, instance)
    assert commands.submit_terminate(world.catalog, world.row(instance)).id == first.id


def test_ones_own_hosts_are_not_ended(world: World) -> None:
    host = world.catalog.instances.add(Instance("cown", "own", "ssh"))
    with pytest.raises(RefusedError, match="not rented"):
        commands.submit_terminate(world.catalog, host)


# -- results


def test_results_that_are_nowhere_else_must_be_named(world: World) -> None:
    instance = world.launched(name="box")
    run = world.catalog.runs.create(a_run("mine"), [instance.id])
    finish(world.catalog, run.id)
    world.catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 3, "a" * 64)], left=["model.onnx"])
    with pytest.raises(RefusedError, match=r"mine \(1 file\)") as raised:
        commands.submit_terminate(world.catalog, instance)
    assert raised.value.code == "unpulled"
    assert world.row(instance).wanted == "running"
    with pytest.raises(RefusedError):
        commands.submit_terminate(world.catalog, instance, unpulled=["other"])
    commands.submit_terminate(world.catalog, instance, unpulled=["mine"])
    assert ending.terminate(world.means, instance.id)["state"] == "terminated"


def test_results_that_are_here_are_not_at_stake(world: World) -> None:
    instance = world.launched(name="box")
    run = world.catalog.runs.create(a_run("mine"), [instance.id])
    finish(world.catalog, run.id)
    sha = "b" * 64
    world.catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 1, sha)])
    world.catalog.runs.mark_pulled(run.id, 1, "model.onnx")
    assert [one.name for one in commands.at_stake(world.catalog, instance.id)] == ["mine"], "the file is gone"
    world.paths.file(sha).parent.mkdir(parents=True)
    world.paths.file(sha).write_bytes(b"x")
    assert commands.at_stake(world.catalog, instance.id) == []
    commands.submit_terminate(world.catalog, instance)


def test_a_run_that_works_there_is_at_stake(world: World) -> None:
    instance = world.launched(name="box")
    world.catalog.runs.create(a_run("busy"), [instance.id])
    for ask in (commands.submit_terminate, commands.submit_stop):
        with pytest.raises(RefusedError, match="busy"):
            ask(world.catalog, instance)
    commands.submit_stop(world.catalog, instance, running=["busy"])


# -- groups


def test_a_group_is_whole(world: World) -> None:
    group = world.ask_all(name="node", count=3)
    for one in group:
        world.launch(one)
    assert [world.row(one).name for one in group] == ["node-1", "node-2", "node-3"]
    assert {world.row(one).cloud_state for one in group} == {"running"}
    assert len({world.the_launch(one).group_id for one in group}) == 1


def test_where_one_cannot_be_had_none_is_kept(world: World) -> None:
    group = world.ask_all(name="node", count=3)
    world.launch(group[0])
    world.cloud.fail(Fault.QUOTA)
    with pytest.raises(CloudtuiError):
        world.launch(group[1])
    assert [world.row(one).wanted for one in group] == ["terminated", "running", "terminated"]
    assert world.launch(group[2])["cancelled"] is True
    waiting = [one for one in world.catalog.operations.pending() if one.kind == "instance.terminate"]
    assert {one.target for one in waiting} == {group[0].id, group[2].id}
    for one in waiting:
        ending.terminate(world.means, one.target)
    assert world.living() == []
    assert world.cloud.launches() == 2


def test_the_zone_that_took_a_spot_machine_is_tried_last(world: World) -> None:
    first = world.launched(name="box", spot=True)
    world.cloud.take_back(first.cloud_id)
    world.look()
    fresh = commands.submit_replacement(world.catalog, world.paths, world.row(first))
    world.launch(fresh)
    assert (first.zone, world.row(fresh).zone) == ("north-1a", "north-1b")


def test_only_a_lost_node_is_replaced(world: World) -> None:
    group = world.ask_all(name="node", count=2)
    for one in group:
        world.launch(one)
    with pytest.raises(RefusedError, match="not lost"):
        commands.submit_replacement(world.catalog, world.paths, world.row(group[0]))
    world.cloud.take_back(world.row(group[0]).cloud_id)
    world.look()
    fresh = commands.submit_replacement(world.catalog, world.paths, world.row(group[0]))
    assert (fresh.name, world.the_launch(fresh).wish.count) == ("node-1", 1)
    world.cloud.fail(Fault.QUOTA)
    with pytest.raises(CloudtuiError):
        world.launch(fresh)
    assert world.row(group[1]).wanted == "running", "a group that was whole keeps its others"
    assert len(world.living()) == 1


# -- what is asked


@pytest.mark.parametrize(
    "wish",
    [
        Wish("", type="gpu-1"),
        Wish("toy"),
        Wish("toy", type="gpu-1", count=0),
        Wish("toy", type="gpu-1", count=65),
        Wish("toy", type="gpu-1", lifetime_s=-1),
        Wish("toy", type="gpu-1", max_price=float("nan")),
        Wish("toy", type="gpu-1", on_demand_cap=0.0),
    ],
)
def test_a_wish_that_cannot_be(world: World, wish: Wish) -> None:
    with pytest.raises(UsageError):
        commands.submit_launch(world.catalog, world.paths, wish)
    assert world.catalog.launches.open() == []


def test_a_budget_is_held_in_the_transaction_of_the_launch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = begin_of(date(2026, 11, 21)) / 1000 + 12 * 3600.0  # late in a day more fits into it
    monkeypatch.setattr(time, "time", lambda: noon)
    world.catalog.settings.set("budget.day", 3_000_000)
    wish = Wish("toy", type="gpu-1", regions=("north-1",), lifetime_s=3600, max_price=1.0)
    for _ in range(2):
        commands.submit_launch(world.catalog, world.paths, wish)
    with pytest.raises(RefusedError) as raised:
        commands.submit_launch(world.catalog, world.paths, Wish(**{**wish.as_dict(), "count": 2}))
    assert raised.value.code == "budget"
    assert len(world.catalog.launches.open()) == 2


def test_all_of_it_or_nothing_is_written(world: World) -> None:
    world.ask(name="node-2")
    with pytest.raises(RefusedError, match="node-2"):
        world.ask_all(name="node", count=3)
    assert len(world.catalog.launches.open()) == 1
    waiting = [one for one in world.catalog.operations.pending() if one.kind == "instance.launch"]
    assert len(waiting) == 1


# -- what the fleet asks for by itself


def test_nobody_who_rents_nothing_asks_a_cloud(world: World) -> None:
    assert list(due.due(due.read(world.catalog, world.clock))) == []
    assert not due.keeps_engine(world.catalog)


def test_a_living_machine_is_looked_at_and_keeps_the_engine(world: World) -> None:
    instance = world.ask()
    assert due.keeps_engine(world.catalog), "a launch that is not over"
    world.launch(instance)
    for one in world.catalog.operations.pending():
        world.catalog.operations.finish(one.id)
    assert due.keeps_engine(world.catalog)
    now = 6_000_000.0
    sweep, calm = due.due(due.read(world.catalog, FastClock(now)))
    assert (sweep[3], calm[3]) == ({"everywhere": True}, {})
    assert list(due.due(due.read(world.catalog, FastClock(now + 59))))[1][2] == calm[2]
    assert list(due.due(due.read(world.catalog, FastClock(now + 60))))[1][2] != calm[2]
    world.end(instance)
    (only,) = [one for one in due.due(due.read(world.catalog, FastClock(now))) if one[0] == "fleet.reconcile"]
    assert only == sweep
    assert world.the_launch(instance).state is LaunchState.READY
    for one in world.catalog.operations.pending():
        assert one.state is OperationState.PENDING
        world.catalog.operations.finish(one.id)
    assert not due.keeps_engine(world.catalog)


def test_a_stopped_machine_does_not_keep_the_engine(world: World) -> None:
    instance = world.launched()
    submit_stop(world, instance)
    ending.stop(world.means, instance.id)
    for one in world.catalog.operations.pending():
        world.catalog.operations.finish(one.id)
    assert not due.keeps_engine(world.catalog)


def test_a_start_that_is_withdrawn_takes_no_later_end_back(world: World) -> None:
    instance = world.launched()
    submit_stop(world, instance)
    ending.stop(world.means, instance.id)
    waiting = commands.submit_start(world.catalog, world.row(instance))
    commands.submit_terminate(world.catalog, world.row(instance))
    assert operations.cancel(world.catalog, waiting.id)
    assert world.row(instance).wanted == "terminated"
