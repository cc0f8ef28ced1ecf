"""What a listing means: adopted, vanished only after a while, ended, an orphan, or nothing at all."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import a_run
from tests.engine.fleet.world import FastClock, World
from tests.support.clouds.faults import Fault

from cloudtui_engine.fleet import commands, due, ending, installation, listing, looking, reconcile
from cloudtui_engine.fleet.listing import listings
from cloudtui_engine.fleet.means import Interrupted
from cloudtui_engine.fleet.reconcile import Changes, Known, compare
from cloudtui_engine.handlers import rent
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.instance import VANISHED, Address, Instance
from cloudtui_engine.records.launch import AttemptState as S
from cloudtui_engine.records.launch import Launch, LaunchAttempt, LaunchState, Wish
from cloudtui_providers.base import LAUNCH_TAG, NAME_TAG, CloudState, Listing, Machine
from cloudtui_providers.errors import CloudUnreachable

ROW = Instance(
    "c1", "box", "toy", Address("1.2.3.4", "me", 22, "/key"), cloud_state="running", cloud_id="m1", region="r"
)
LAUNCH = Launch("l1", "l1", "c1", "toy", Wish("toy"))


def machine(identifier: str = "m1", state: CloudState = CloudState.RUNNING, **fields: Any) -> Machine:
    return Machine(identifier, state, "r", **({"address": "5.6.7.8", "user": "ubuntu"} | fields))


def look(
    *machines: Machine, known: Known | None = None, complete: bool = True, now: float = 1000.0
) -> Changes:
    return compare("toy", known or Known([ROW]), Listing("r", machines, complete=complete), now)


def with_attempt(state: S, launch: LaunchState = LaunchState.OPEN, newest: int = 1) -> Known:
    attempt = LaunchAttempt("l1", 1, "r", "", "big", state=state, machine_id="m9", sent_at=900.0)
    return Known((), {"l1-1": attempt}, {"l1": replace(LAUNCH, state=launch)}, {"l1": newest})


def ours(identifier: str = "m7", **fields: Any) -> Machine:
    return machine(identifier, tags={LAUNCH_TAG: "l1-1", NAME_TAG: "box"}, **fields)


def test_what_is_seen_is_the_row() -> None:
    fields = look(machine(zone="ra", reason="why")).updates["c1"]
    assert fields["address"] == Address("5.6.7.8", "ubuntu", 22, "/key")
    assert (fields["cloud_state"], fields["cloud_seen_at"], fields["cloud_reason"], fields["zone"]) == (
        "running", 1000.0, "why", "ra",
    )  # fmt: skip
    assert fields["missing_since"] is None


@pytest.mark.parametrize("state", [CloudState.STOPPED, CloudState.TERMINATED])
def test_one_that_does_not_run_has_no_address(state: CloudState) -> None:
    assert look(machine(state=state, address="")).updates["c1"]["address"] == Address("", "me", 22, "/key")


def test_a_list_that_lags_brings_nothing_back() -> None:
    known = Known([replace(ROW, cloud_state="terminated")])
    assert look(machine(), known=known).updates["c1"] == {"cloud_seen_at": 1000.0}


def test_an_incomplete_listing_moves_nothing() -> None:
    gone = replace(ROW, missing_since=1.0)
    assert look(known=Known([gone]), complete=False, now=1e6).updates == {}


def test_vanished_needs_two_complete_listings_and_five_minutes() -> None:
    assert look(now=1000.0).updates == {"c1": {"missing_since": 1000.0}}
    missing = Known([replace(ROW, missing_since=1000.0)])
    assert look(known=missing, now=1299.0).updates == {}
    assert look(known=missing, now=1300.0).updates["c1"]["cloud_state"] == VANISHED
    assert look(known=missing, now=900.0).updates == {"c1": {"missing_since": 900.0}}, (
        "the clock was set back"
    )
    seen = look(machine(), known=missing).updates["c1"]
    assert seen["missing_since"] is None


def test_one_that_was_told_to_end_needs_less_and_is_called_terminated() -> None:
    ending_ = replace(ROW, cloud_state="terminating")
    assert look(known=Known([ending_])).updates == {"c1": {"missing_since": 1000.0}}
    fields = look(known=Known([replace(ending_, missing_since=1000.0)]), now=1015.0).updates["c1"]
    assert fields["cloud_state"] == "terminated"


def test_another_region_says_nothing_of_this_one() -> None:
    assert look(known=Known([replace(ROW, region="s", missing_since=1.0)]), now=1e6).updates == {}


@pytest.mark.parametrize("state", [S.PLANNED, S.SENT, S.UNRESOLVED, S.ABSENT])
def test_a_machine_of_our_request_is_adopted(state: S) -> None:
    changes = look(ours(), known=with_attempt(state))
    assert [one.id for _, one in changes.adoptions] == ["m7"]
    assert (changes.doubles, changes.orphans) == ([], [])


@pytest.mark.parametrize(
    ("state", "launch", "newest"),
    [
        (S.ABSENT, LaunchState.OPEN, 2),
        (S.ABSENT, LaunchState.FAILED, 1),
        (S.REFUSED, LaunchState.OPEN, 1),
        (S.UNRESOLVED, LaunchState.CANCELLED, 1),
    ],
)
def test_a_machine_of_a_request_that_is_over_is_a_double(state: S, launch: LaunchState, newest: int) -> None:
    known = with_attempt(state, launch, newest)
    assert [one.id for one in look(ours(), known=known).doubles] == ["m7"]
    assert look(ours(state=CloudState.TERMINATED), known=known).doubles == []


def test_a_machine_that_was_made_from_ours_with_its_tags_is_not_ended() -> None:
    known = with_attempt(S.ADOPTED, LaunchState.READY)
    for made in (ours(), ours(created_at=5000.0), ours(created_at=1000.0)):
        found = look(made, known=known, now=9e5)
        assert found.doubles == []
        assert [one.cloud_id for one in found.orphans] == ["m7"]


def test_what_was_made_long_after_a_request_that_failed_is_none_of_it() -> None:
    known = with_attempt(S.ABSENT, LaunchState.FAILED)
    for late in (look(ours(), known=known, now=9e5), look(ours(created_at=5000.0), known=known, now=9e5)):
        assert (late.doubles, [one.cloud_id for one in late.orphans]) == ([], ["m7"])
    assert look(ours(created_at=1000.0), known=known, now=9e5).doubles != []


def test_one_whose_row_was_forgotten_is_an_orphan() -> None:
    changes = look(ours("m9"), known=with_attempt(S.ADOPTED, LaunchState.READY))
    assert [one.cloud_id for one in changes.orphans] == ["m9"]


def test_a_machine_with_our_mark_and_no_row_is_an_orphan_and_keeps_its_age() -> None:
    stray = machine("m5", tags={NAME_TAG: "\x1b[31mbox", LAUNCH_TAG: "other-1"})
    (orphan,) = look(machine(), stray).orphans
    assert (orphan.first_seen_at, orphan.name, orphan.address.host) == (1000.0, "box", "5.6.7.8")
    known = Known([ROW], orphans=[orphan])
    (again,) = look(machine(), stray, known=known, now=2000.0).orphans
    assert (again.first_seen_at, again.seen_at) == (1000.0, 2000.0)
    (missing,) = look(machine(), known=known, now=2000.0).orphans
    assert missing.missing_since == 2000.0
    known = Known([ROW], orphans=[missing])
    assert look(machine(), known=known, now=2299.0).orphans_gone == []
    assert look(machine(), known=known, now=2300.0).orphans_gone == ["m5"]
    assert look(machine(), known=known, complete=False, now=9e9).orphans_gone == []
    ended = replace(stray, state=CloudState.TERMINATED)
    assert look(machine(), ended, known=known).orphans_gone == ["m5"]


# -- with a cloud


def told(world: World) -> list[str]:
    return [one.sentence for one in world.catalog.notices.since(0)[1]]


def test_a_machine_that_was_taken_away_is_said_so(world: World) -> None:
    instance = world.launched(name="box", spot=True)
    world.catalog.runs.create(a_run("mine"), [instance.id])
    world.cloud.take_back(instance.cloud_id)
    world.look()
    world.look(everywhere=True)
    assert told(world) == [
        "box was taken away: The cloud ended it: preempted. What lay there alone: mine.",
        "mine is lost: Its machine is gone (preempted).",
    ]
    row = world.row(instance)
    assert (row.cloud_state, row.cloud_reason, row.wanted) == ("terminated", "preempted", "running")


def test_a_machine_that_the_cloud_forgot_vanishes_and_comes_back(world: World) -> None:
    instance = world.launched()
    with world.cloud.books.open() as books:
        kept = books["machines"].pop(instance.cloud_id)
    world.forget_time(200)
    assert world.row(instance).cloud_state == "running"
    world.forget_time(200)
    assert world.row(instance).cloud_state == VANISHED
    with world.cloud.books.open() as books:
        books["machines"][instance.cloud_id] = kept
    world.look()
    assert world.row(instance).cloud_state == "running"


@pytest.mark.parametrize("lifetime_s", [0, 7200])
def test_what_has_vanished_is_looked_for_until_an_hour_after_its_deadline(
    world: World, lifetime_s: int
) -> None:
    instance = world.launched(lifetime_s=lifetime_s)
    world.cloud.forget(instance.cloud_id)
    world.forget_time(400)
    row = world.row(instance)
    assert row.cloud_state == VANISHED
    last = (row.deadline_at or row.missing_since or 0.0) + 3600.0
    for now, watched in ((last - 1.0, True), (last + 1.0, False)):
        world.clock._now = now
        assert due.keeps_engine(world.catalog, now) is watched
        assert bool(looking.live_regions(world.means, "toy")) is watched
        looks = [one for one in due.due(due.read(world.catalog, world.clock)) if one[0] == "fleet.reconcile"]
        assert any("everywhere" not in args for *_, args in looks) is watched
    world.catalog.instances.update(instance.id, cloud_reason="preempted")
    assert not due.keeps_engine(world.catalog, last - 1.0), "its cloud has said it"


def test_a_clock_that_is_set_forward_lets_no_grace_pass(world: World) -> None:
    instance, orphan = world.launched(), world.alien(launch="gone1")
    world.look(everywhere=True)
    with world.cloud.books.open() as books:
        for one in (instance.cloud_id, orphan.id):
            books["machines"].pop(one)
    world.look()
    world.clock.set_s += 3 * 86_400.0
    world.look()
    assert world.row(instance).cloud_state == "running", "it was missed for no time at all"
    assert [one.cloud_id for one in world.catalog.orphans.list()] == [orphan.id]
    world.forget_time(230)
    assert world.row(instance).cloud_state == "running"
    world.forget_time(70)
    assert world.row(instance).cloud_state == VANISHED
    assert world.catalog.orphans.list() == []


def test_what_another_engine_missed_is_missed_anew(world: World) -> None:
    """Nobody knows whether the clock was set between the two."""
    instance = world.launched()
    world.cloud.forget(instance.cloud_id)
    world.look()
    after = replace(world.means, clock=FastClock(world.clock.now() + 86_400.0))
    looking.look(after, "toy")
    assert world.row(instance).cloud_state == "running"
    after.clock.wait(300.0, world.closing)
    looking.look(after, "toy")
    assert world.row(instance).cloud_state == VANISHED


def test_offline_the_last_known_state_stays(world: World) -> None:
    instance = world.launched()
    before = world.row(instance)
    world.cloud.fail(Fault.UNREACHABLE, on="*")
    world.forget_time(1000)
    assert world.row(instance) == before
    (listing,) = world.catalog.listings.list("toy")
    assert (listing.complete, listing.problem.startswith("The toy cloud says")) == (False, True)


def test_an_incomplete_page_hides_nothing(world: World) -> None:
    instances = world.ask_all(count=4)
    for one in instances:
        world.launch(one)
    world.cloud.fail(Fault.INCOMPLETE, on="machines", times=200)
    world.forget_time(390)
    assert {world.row(one).cloud_state for one in instances} == {"running"}
    assert world.look()["incomplete"] == ["north-1"]


def test_an_orphan_is_shown_adopted_and_ended(world: World) -> None:
    world.launched(name="box")
    one, two = world.alien(launch="gone1"), world.alien(launch="gone2")
    world.alien(owner="somebody", launch="gone3")
    assert world.look(everywhere=True)["orphans"] == 2
    assert len([one for one in told(world) if "is in no list here: gpu-1 runs at toy in north-1" in one]) == 2
    first = world.catalog.orphans.find(one.id)
    adopted = commands.submit_adopt(world.catalog, world.paths, first)
    world.look()
    assert (adopted.cloud_id, world.row(adopted).cloud_state) == (one.id, "running")
    operation = commands.submit_terminate_orphan(
        world.catalog, world.paths, world.catalog.orphans.find(two.id)
    )
    ending.terminate(world.means, operation.target)
    world.look(everywhere=True)
    assert world.catalog.orphans.list() == []
    assert len(world.living()) == 3


def test_one_that_was_forgotten_while_it_lives_is_taken_up_again(world: World) -> None:
    instance = world.launched(name="box")
    world.catalog.instances.forget(instance.id, 1.0)
    world.look(everywhere=True)
    (orphan,) = world.catalog.orphans.list()
    assert orphan.name == "box"
    adopted = commands.submit_adopt(world.catalog, world.paths, orphan)
    assert (adopted.id, adopted.name, adopted.forgotten_at) == (instance.id, "box", None)
    assert adopted.host_key == instance.host_key
    world.look(everywhere=True)
    assert world.catalog.orphans.list() == []


def test_a_double_is_ended(world: World) -> None:
    world.cloud.fail(Fault.CAPACITY)  # its first request was refused, as far as is known
    instance = world.launched()
    order = replace(world.cloud.order(owner=installation.owner(world.catalog)), launch=instance.launch_id)
    payload = dict(world.cloud.provider.plan(order)) | {"token": "other"}
    world.cloud.provider.launch(payload)
    assert len(world.living()) == 2
    world.look()
    assert [one for one in world.living() if one != "other"] == world.living()
    assert world.row(instance).cloud_state == "running"


def test_looking_asks_once_a_region(world: World) -> None:
    for one in world.ask_all(count=5):
        world.launch(one)
    before = world.cloud.books.calls("machines")
    world.look()
    assert world.cloud.books.calls("machines") == before + 1


def test_old_looks_do_not_pile_up(world: World) -> None:
    context = Context(
        world.catalog, world.paths, cast("Any", None), cast("Any", None), world.closing, world.clock
    )
    made = [
        world.catalog.operations.submit("fleet.reconcile", "toy", args)
        for args in ({}, {"everywhere": True}, {})
    ]
    for one in made[:2]:
        world.catalog.operations.finish(one.id)
    for days, left in ((0.5, {made[1].id, made[2].id}), (1.5, {made[2].id})):
        world.clock._now = time.time() + days * 86_400
        rent.reconcile(context, world.catalog.operations.get(made[2].id))
        assert {one.id for one in world.catalog.operations.list()} == left


def test_regions_are_asked_at_once_and_a_dead_one_holds_up_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2)

    def machines(region: str, owner: str) -> Listing:
        both.wait(10)  # neither comes back before the other is asked
        if region == "s":
            raise CloudUnreachable("No way.")
        return Listing(region, [machine()])

    monkeypatch.setattr(world.cloud.provider, "machines", machines)
    found = {one.region: one for one in listings(world.cloud.provider, ["r", "s"], "me")}
    assert (found["r"].complete, found["s"].complete, found["s"].problem) == (True, False, "No way.")
    assert list(listings(world.cloud.provider, [], "me")) == []


def test_a_defect_in_one_region_hides_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def machines(region: str, owner: str) -> Listing:
        if region == "r":
            raise KeyError("defect")
        return Listing(region, [machine()])

    monkeypatch.setattr(world.cloud.provider, "machines", machines)
    found = {one.region: one for one in listings(world.cloud.provider, ["r", "s"], "me")}
    assert (found["r"].complete, len(found["s"].machines), len(caplog.records)) == (False, 1, 1)
    assert "defect in the provider toy" in found["r"].problem


def test_a_region_that_hangs_holds_up_neither_the_others_nor_the_engines_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, asked = threading.Event(), list[threading.Thread]()
    regions = [f"hangs-{number}" for number in range(listing.AT_ONCE)]

    def machines(region: str, owner: str) -> Listing:
        if region in regions:
            asked.append(threading.current_thread())
            goes_on.wait(60)
        return Listing(region, [machine()])

    monkeypatch.setattr(world.cloud.provider, "machines", machines)
    monkeypatch.setattr(listing, "POLL_S", 0.01)
    world.closing.set()
    with pytest.raises(Interrupted):
        list(listings(world.cloud.provider, regions[:1], "me", closing=world.closing))
    world.closing.clear()
    monkeypatch.setattr(listing, "REGION_S", 0.05)
    found = {one.region: one for one in listings(world.cloud.provider, [*regions, "s"], "me")}
    assert found["s"].complete
    assert not any(found[one].complete for one in regions)
    (again,) = listings(world.cloud.provider, regions[:1], "me")
    assert "the question before" in again.problem, "who hangs is not asked again and again"
    assert len(asked) == 1 + len(regions)
    goes_on.set()
    for thread in asked:
        thread.join(20)
    monkeypatch.setattr(listing, "REGION_S", 60.0)
    assert all(one.complete for one in listings(world.cloud.provider, regions, "me"))


def test_grace_is_what_the_facts_say() -> None:
    assert reconcile.GRACE_S == 300.0
