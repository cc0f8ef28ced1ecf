"""Spot machines that are taken back: what is replaced, what goes on there, and what waits for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engine.catalog.helpers import line
from tests.engine.fleet.taking import asked, carry_out, running
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault

from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands, due, reconcile, spot
from cloudtui_engine.fleet.attempts import Candidate, End, Plan, Wait, candidates, next_step
from cloudtui_engine.fleet.spot import CutOff, Facts
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.keep import checked
from cloudtui_engine.kept import Kept, KeptFile, KeptSet, chosen, told
from cloudtui_engine.records.instance import NOTICED, PREEMPTED, VANISHED, Instance, LinkState
from cloudtui_engine.records.launch import AttemptState, LaunchAttempt, Wish
from cloudtui_engine.records.operation import OperationState
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs.ingest import Ingest
from cloudtui_providers.base import Offer

NOON = 1_795_000_000.0
BOX = Instance(
    "i1", "box", "toy", cloud_id="c1", launch_id="l1", spot=True, cloud_state="terminated",
    cloud_reason=PREEMPTED, deadline_at=NOON + 3600,
)  # fmt: skip
FRESH = Instance("i2", "box", "toy", cloud_id="c2", launch_id="l2", link_state=LinkState.UP)
CUT = (CutOff("r1", 1),)


# -- pure


@pytest.mark.parametrize(
    ("machine", "cut_off", "is_replaced"),
    [
        (BOX, CUT, True),
        (replace(BOX, deadline_at=None), CUT, True),
        (replace(BOX, cloud_state=VANISHED, cloud_reason=NOTICED), CUT, True),
        (BOX, (), False),
        (replace(BOX, cloud_state="running", cloud_reason=NOTICED), CUT, False),
        (replace(BOX, cloud_state=VANISHED, cloud_reason=""), CUT, False),
        (replace(BOX, cloud_reason="Client.UserInitiatedShutdown"), CUT, False),
        (replace(BOX, wanted="terminated"), CUT, False),
        (replace(BOX, launch_id=""), CUT, False),
        (replace(BOX, deadline_at=NOON + 600), CUT, False),
    ],
)
def test_what_is_replaced(machine: Instance, cut_off: tuple[CutOff, ...], is_replaced: bool) -> None:
    asked = list(spot.replacements(Facts(NOON, taken=[(machine, cut_off)])))
    assert [(kind, key) for kind, _, key, _ in asked] == (
        [("instance.replace", "instance.replace:i1")] if is_replaced else []
    )


@pytest.mark.parametrize(
    ("machine", "busy", "goes_on"),
    [
        (FRESH, frozenset(), True),
        (FRESH, frozenset({"r1"}), False),
        (replace(FRESH, link_state=LinkState.CONNECTING), frozenset(), False),
        (replace(FRESH, wanted="terminated"), frozenset(), False),
        (replace(FRESH, cloud_state="terminated"), frozenset(), False),
    ],
)
def test_when_a_run_goes_on(machine: Instance, busy: frozenset[str], goes_on: bool) -> None:
    asked = list(spot.resumptions(Facts(NOON, fresh=[(machine, CUT)], busy=busy)))
    assert [(target, args) for _, target, _, args in asked] == (
        [("r1", {"attempt": 1, "instance": "i2"})] if goes_on else []
    )


def offer(zone: str, price: float) -> Offer:
    return Offer("toy", "r", zone, "big", "A100", 1, 1, 1, 1, price)


@pytest.mark.parametrize(
    ("wish", "zones"),
    [
        (Wish("toy", type="big", spot=True), ["ra", "rb"]),
        (Wish("toy", type="big", spot=True, avoid=("ra",)), ["rb"]),
        (Wish("toy", type="big", spot=True, avoid=("ra", "rb")), ["ra", "rb"]),
        (Wish("toy", type="big", spot=True, avoid=("ra", "rb"), on_demand_cap=1.0), ["rc"]),
        (Wish("toy", type="big", spot=True, avoid=("ra",), on_demand_cap=1.0), ["rb", "rc"]),
        (Wish("toy", type="big", spot=True, avoid=("ra",), on_demand_cap=0.5), ["rb"]),
    ],
)
def test_where_is_looked(wish: Wish, zones: list[str]) -> None:
    found = candidates(wish, [offer("ra", 0.2), offer("rb", 0.3)], [offer("rc", 0.9)])
    assert [place.zone for place in found] == zones


def test_a_launch_with_patience_asks_again_and_a_quota_ends_it_all_the_same() -> None:
    place = Candidate("r", "ra", "big", spot=True)
    full = LaunchAttempt(
        "l",
        1,
        "r",
        "ra",
        "big",
        True,
        state=AttemptState.REFUSED,
        error={"code": "capacity"},
        resolved_at=100.0,
    )
    assert isinstance(next_step([full], [place]), End)
    assert isinstance(next_step([full], [place], patient_since=50.0), Wait)
    assert next_step([full], [place], patient_since=150.0) == Plan(2, place)
    assert isinstance(next_step([], [], patient_since=50.0), Wait)
    over = replace(full, error={"code": "quota"})
    assert isinstance(next_step([over], [place], patient_since=150.0), End)


# -- what is kept


def file(name: str, sha: str) -> KeptFile:
    return KeptFile(name, 1, sha * 64)


def test_of_a_training_the_newest_checkpoint_is_kept_and_of_others_all() -> None:
    files = [
        file("step-000000000090.ckpt", "a"),
        file("step-000000000100.ckpt", "b"),
        file("best.safetensors", "c"),
    ]
    assert chosen("train", files) == [files[1]]
    assert chosen("train", files[2:]) == []
    assert chosen("script", files) == files


def test_what_a_host_lists_is_data() -> None:
    fine = {"name": "step-000000000090.ckpt", "size_bytes": 1, "sha256": "a" * 64, "type": "file"}
    odd = [{"name": 7}, {"size_bytes": True}, {"size_bytes": "1"}, {"sha256": "A" * 64}, {"sha256": None}]
    reply = {"files": [{**fine, **one} for one in odd] + [fine, "x", None]}
    assert checked(reply) == [file("step-000000000090.ckpt", "a")]
    assert checked({"files": {"a": fine}}) == []


def test_a_set_is_whole_or_the_one_before(world: World) -> None:
    kept = Kept(world.paths, "r1")
    assert kept.newest() is None
    kept.folder.mkdir(parents=True)
    first = KeptSet(1, 5.0, (file("step-000000000010.ckpt", "a"),))
    assert kept.missing(first.files) == list(first.files)
    kept.blob("a" * 64).write_text("x")
    kept.save(first)
    kept.blob("b" * 64).write_text("y")
    assert (kept.newest(), kept.newest().step if kept.newest() else None) == (first, 10)  # type: ignore[union-attr]
    second = KeptSet(2, 6.0, (file("step-000000000020.ckpt", "b"),))
    kept.save(second)
    assert kept.newest() == second
    assert not kept.blob("a" * 64).exists()
    kept.blob("b" * 64).unlink()
    assert kept.newest() is None


def test_what_is_lost_is_said() -> None:
    found = KeptSet(1, 5.0, (file("step-000000000010.ckpt", "a"),))
    assert told(None, {}) == "No checkpoint of it is here: it begins anew."
    assert "15 steps after it are lost" in told(found, {"step": 25})
    assert "lost" not in told(found, {"step": 10})
    assert "after that is lost" in told(replace(found, files=(file("state.bin", "a"),)), {"step": 25})


# -- over the catalog


def taken(world: World, machine: Instance) -> Instance:
    world.cloud.take_back(machine.cloud_id)
    world.look()
    return world.row(machine)


def test_a_notice_is_on_the_machine_until_it_is_gone(world: World) -> None:
    machine = world.launched(name="box", spot=True)
    run = running(world, machine)
    source = world.catalog.sources.open(machine.id, run.id, 1, "system")
    said = line("event", name="preemption", data={"left_s": 120.0, "text": "It is taken back."})
    ingest = Ingest(world.catalog, source, 0.0)
    ingest.feed(0, said)
    ingest.commit()
    assert world.row(machine).cloud_reason == NOTICED
    assert [one.title for one in world.catalog.notices.since(0)[1]] == ["box is taken back soon"]
    world.look()
    assert world.row(machine).cloud_reason == NOTICED, "a list that says nothing takes nothing back"
    gone = taken(world, machine)
    assert (gone.cloud_state, gone.cloud_reason) == ("terminated", PREEMPTED)


def test_a_jobs_own_words_are_no_notice(world: World) -> None:
    machine = world.launched(name="box", spot=True)
    run = running(world, machine)
    ingest = Ingest(world.catalog, world.catalog.sources.open(machine.id, run.id, 1, "trainer"), 0.0)
    ingest.feed(0, line("event", name="preemption", data={"left_s": 120.0}))
    ingest.commit()
    assert world.row(machine).cloud_reason == ""


def test_a_run_goes_on_in_another_zone_once_the_replacement_answers(world: World, context: Context) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    run, other = running(world, first), running(world, first, "stopped-by-me")
    world.catalog.runs.request_stop(other.id, 1, world.clock.now())
    gone = taken(world, first)
    assert world.catalog.runs.get(run.id).reason == (
        "Its machine is gone (preempted). No checkpoint of it is here: it begins anew."
    )
    (operation,) = asked(world)
    fresh = world.catalog.instances.get(carry_out(context, operation)["instance"])
    assert carry_out(context, operation) == {"instance": None}, "once"
    wish = world.the_launch(fresh).wish
    assert (wish.replaces, wish.avoid, fresh.name) == (first.id, (gone.zone,), "box")
    assert fresh.deadline_at == pytest.approx(gone.deadline_at, abs=2), "its time is not made longer"
    assert asked(world) == []
    world.launch(fresh)
    assert world.row(fresh).zone != gone.zone
    assert asked(world) == [], "it has not answered yet"
    world.catalog.instances.update(fresh.id, link_state=LinkState.UP)
    (operation,) = asked(world)
    assert carry_out(context, operation) == {"attempt": 2}
    attempt = world.catalog.runs.attempt(run.id, 2)
    assert (attempt.instance_id, attempt.state) == (fresh.id, RunState.QUEUED)
    assert world.catalog.runs.get(other.id).attempt == 1, "a person wanted its end"
    assert carry_out(context, replace(operation, id="again")) == {"attempt": None}
    assert world.catalog.events.list(run.id)[-1].name == "goes_on"


def test_what_ends_on_its_way_is_found_through_all_replacements(world: World, context: Context) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    run = running(world, first)
    taken(world, first)
    second = world.catalog.instances.get(carry_out(context, asked(world)[0])["instance"])
    world.launch(second)
    taken(world, world.row(second))
    third = world.catalog.instances.get(carry_out(context, asked(world)[0])["instance"])
    world.launch(third)
    world.catalog.instances.update(third.id, link_state=LinkState.UP)
    carry_out(context, asked(world)[0])
    assert world.catalog.runs.attempt(run.id, 2).instance_id == third.id


def test_what_has_vanished_goes_on_once_a_person_says_that_it_is_gone(world: World, context: Context) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    run = running(world, first)
    with world.cloud.books.open() as books:
        books["machines"].pop(first.cloud_id)
    world.forget_time(900)
    assert world.row(first).cloud_state == VANISHED
    assert asked(world) == [], "nobody has said that it ended"
    assert world.catalog.runs.get(run.id).status is RunState.RUNNING
    fresh = commands.submit_replacement(world.catalog, world.paths, world.row(first))
    assert world.catalog.runs.get(run.id).reason.startswith("Its machine is gone (vanished).")
    world.launch(fresh)
    world.catalog.instances.update(fresh.id, link_state=LinkState.UP)
    assert carry_out(context, asked(world)[0]) == {"attempt": 2}


def notice(world: World, run: Run, machine: Instance) -> None:
    """The machine's own journal tells that it is taken back."""
    ingest = Ingest(world.catalog, world.catalog.sources.open(machine.id, run.id, 1, "system"), 0.0)
    ingest.feed(0, line("event", name="preemption", data={"left_s": 120.0, "text": "It is taken back."}))
    ingest.commit()


def state_of(world: World, machine: Instance) -> tuple[str | None, str]:
    row = world.row(machine)
    return row.cloud_state, row.cloud_reason


TAKEN = ("terminated", PREEMPTED)


def test_one_that_had_said_so_is_taken_back_once_it_is_listed_no_more(world: World) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    run = running(world, first)
    notice(world, run, first)
    world.cloud.take_away(first.cloud_id, say=False)
    world.look()
    assert state_of(world, first) == ("running", NOTICED), "one list may lag"
    world.forget_time(60)
    assert state_of(world, first) == TAKEN
    assert world.catalog.runs.get(run.id).status is RunState.LOST
    assert [one.kind for one in asked(world)] == ["instance.replace"]


def test_one_that_is_listed_again_all_the_same_is_there(world: World) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    notice(world, running(world, first), first)
    with world.cloud.books.open() as books:
        kept = books["machines"].pop(first.cloud_id)
    world.forget_time(120)
    assert state_of(world, first) == TAKEN
    with world.cloud.books.open() as books:
        books["machines"][first.cloud_id] = kept
    world.look(everywhere=True)
    assert world.row(first).cloud_state == "running", "it costs money, so it is watched"


@pytest.mark.parametrize("late_s", [0.0, 600.0])
def test_one_whose_end_nobody_saw_is_taken_back_by_its_clouds_own_history(
    world: World, late_s: float
) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    run = running(world, first)
    world.cloud.take_away(first.cloud_id, say=not late_s)
    world.cloud.fail(Fault.PERMISSION, on="taken_back")  # who does not answer has said nothing
    world.look()
    assert state_of(world, first) == ("running", "")
    if late_s:
        world.forget_time(late_s)
        assert state_of(world, first) == (VANISHED, "")
        assert asked(world) == []
        assert ("fleet.reconcile", "toy") in [(kind, of) for kind, of, _, _ in later_looks(world)]
        world.cloud.say_taken(first.cloud_id)
    world.look()
    assert state_of(world, first) == TAKEN
    assert world.catalog.runs.get(run.id).reason.startswith("Its machine is gone (preempted).")
    assert [one.kind for one in asked(world)] == ["instance.replace"]
    said = [one.detail for one in world.catalog.notices.since(0)[1] if one.kind == "taken"]
    assert said[-1].startswith("The cloud ended it: preempted.")


def test_one_that_was_seen_on_its_way_out_is_explained_later(world: World) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    run = running(world, first)
    with world.cloud.books.open() as books:
        books["machines"][first.cloud_id]["state"] = "terminating"
    world.look()
    world.cloud.take_away(first.cloud_id, say=False)
    world.forget_time(120)
    assert (state_of(world, first), asked(world)) == (("terminated", ""), [])
    assert world.catalog.runs.get(run.id).status is RunState.LOST
    world.cloud.say_taken(first.cloud_id)
    world.look()
    assert state_of(world, first) == TAKEN
    assert [one.kind for one in asked(world)] == ["instance.replace"]


def later_looks(world: World) -> list[due.Wanted]:
    """Those beside the rare ones at everything."""
    return [one for one in due.due(due.read(world.catalog, world.clock)) if not one[3]]


def test_what_nobody_explains_in_an_hour_is_left_to_a_person(world: World) -> None:
    spot_, other = world.launched(name="box", spot=True), world.launched(name="calm")
    running(world, spot_)
    for one in (spot_, other):
        world.cloud.take_away(one.cloud_id, say=False)
    world.forget_time(600)
    assert later_looks(world) != []
    world.forget_time(reconcile.UNEXPLAINED_S)
    assert later_looks(world) == []
    assert {state_of(world, one) for one in (spot_, other)} == {(VANISHED, "")}
    before = world.cloud.books.calls("taken_back")
    world.look(everywhere=True)
    assert world.cloud.books.calls("taken_back") == before
    assert before <= 80, "of the spot machine, once at each look"


def test_a_budget_holds_and_a_person_is_told(world: World, context: Context) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    running(world, first)
    taken(world, first)
    world.catalog.settings.set("budget.day", 1)
    (operation,) = asked(world)
    with pytest.raises(RefusedError, match="budget"):
        carry_out(context, operation)
    assert world.row(first).forgotten_at is None, "it can be asked for by hand"
    assert world.living() == []
    (said,) = [one for one in world.catalog.notices.since(0)[1] if one.kind == "launch"]
    assert "cloudtui instance replace box" in said.detail


def test_only_lost_nodes_of_a_group_are_replaced(world: World, context: Context) -> None:
    group = world.ask_all(name="node", count=2, spot=True, lifetime_s=7200)
    for one in group:
        world.launch(one)
        running(world, one, f"on-{one.name}")
    taken(world, world.row(group[0]))
    (operation,) = asked(world)
    assert operation.target == group[0].id
    fresh = world.catalog.instances.get(carry_out(context, operation)["instance"])
    world.launch(fresh)
    assert world.row(group[1]).wanted == "running"
    assert len(world.living()) == 2


def test_where_none_is_to_be_had_it_is_waited_for(world: World, context: Context) -> None:
    first = world.launched(name="box", spot=True, lifetime_s=7200)
    running(world, first)
    taken(world, first)
    fresh = world.catalog.instances.get(carry_out(context, asked(world)[0])["instance"])
    world.cloud.fail(Fault.CAPACITY, times=5)
    began = world.clock.now()
    world.launch(fresh)
    assert world.clock.now() - began >= 600
    assert any(text.startswith("Waiting for one to be had") for text in world.said)
    assert world.row(fresh).cloud_state == "running"


def test_what_runs_on_spot_machines_alone_is_kept(world: World) -> None:
    calm, hot = world.launched(name="calm"), world.launched(name="hot", spot=True)
    running(world, calm, "one")
    run = running(world, hot, "two")
    asked(world)
    kept = [one for one in world.catalog.operations.pending() if one.kind == "run.keep"]
    assert [(one.target, one.args, one.state) for one in kept] == [
        (run.id, {"attempt": 1}, OperationState.PENDING)
    ]
