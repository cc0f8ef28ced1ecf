"""A machine's end: by the engine where it lives, told before, moved by a person, and never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.engine.catalog.helpers import a_run, finish
from tests.engine.fleet.world import FastClock, World
from tests.support.clouds.toy import ToyCloud, ToyListed

from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.fleet import commands, deadlines, ending, enforcing
from cloudtui_engine.money.amounts import micro
from cloudtui_engine.records.instance import Address, Instance, LinkState
from cloudtui_engine.records.notice import Notice
from cloudtui_engine.records.operation import Operation

T = 1_790_000_000.0
HELD = Instance(
    "i1", "box", "aws", Address("192.0.2.1"), cloud_id="c1", launch_id="l1", cloud_state="running",
    deadline_at=T,
)  # fmt: skip


def due(instance: Instance, now: float, *, can_stop: bool = True) -> list[deadlines.End]:
    return list(deadlines.ends([instance], now, lambda _one: can_stop))


def test_a_machine_ends_at_its_deadline_and_not_before() -> None:
    assert due(HELD, T - 0.1) == []
    assert due(HELD, T) == [deadlines.End("i1", "stop", f"deadline:i1:{int(T)}")]
    assert due(HELD, T, can_stop=False)[0].wanted == "terminated"


def test_one_that_runs_on_is_ended_again_every_five_minutes() -> None:
    keys = [due(HELD, T + seconds)[0].key for seconds in (0, 299, 301, 599, 601)]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"deadline_at": None}, {"wanted": "stopped"}, {"wanted": "terminated"}, {"cloud_state": "stopped"},
        {"cloud_state": "terminated"}, {"cloud_state": "stopping"}, {"cloud_id": ""},
    ],
)  # fmt: skip
def test_what_is_ended_or_nobodys_is_left_alone(change: dict[str, Any]) -> None:
    assert due(replace(HELD, **change), T + 1) == []
    assert deadlines.warned([replace(HELD, **change)], T - 1) == []


def test_a_warning_comes_in_the_last_quarter_of_an_hour() -> None:
    assert not deadlines.warned([HELD], T - 901)
    assert deadlines.warned([HELD], T - 899) == [HELD]
    assert not deadlines.warned([HELD], T)


def told(instance: Instance, now: float = T - 100) -> list[str]:
    return [key for _, key in deadlines.to_tell([instance], now)]


def test_a_machine_is_told_once_and_at_each_new_link() -> None:
    assert told(HELD) == [f"instance.deadline:i1:{int(T)}"]
    linked = replace(HELD, link_state=LinkState.UP, link_since=7.0)
    again = replace(HELD, link_state=LinkState.UP, link_since=8.0)
    assert len({*told(HELD), *told(linked), *told(again)}) == 3
    assert told(replace(HELD, deadline_at=None)) == ["instance.deadline:i1:never"]
    own = replace(HELD, cloud_id="", launch_id="", cloud_state=None)
    assert told(own)
    assert not told(replace(own, deadline_at=None)), "never armed on a machine that nobody asked for"


@pytest.mark.parametrize(
    "change", [{"cloud_state": "stopped"}, {"cloud_state": "pending"}, {"address": Address()}]
)
def test_what_cannot_be_told_or_is_over_is_not(change: dict[str, Any]) -> None:
    assert not told(replace(HELD, **change))
    assert not told(HELD, T + 1), "a machine that was started again is not ended by yesterday's word"


def test_a_start_gives_the_whole_time_where_little_is_left() -> None:
    assert deadlines.after_start(HELD, 3600, T - 7200) == T
    assert deadlines.after_start(HELD, 3600, T - 100) == T - 100 + 3600
    assert deadlines.after_start(HELD, 0, T + 9) == T + 9 + deadlines.AFRESH_S
    assert deadlines.after_start(replace(HELD, deadline_at=None), 3600, T) is None


def test_a_host_that_comes_and_goes_is_waited_for_once(world: World) -> None:
    box = world.catalog.instances.add(replace(HELD, cloud_id="", launch_id="", cloud_state=None))
    for since in range(5):
        world.catalog.instances.update(box.id, link_state=LinkState.UP, link_since=float(since))
        enforcing.enforce(world.catalog, FastClock(T - 5000))
    assert len(open_of(world, box)) == 1
    world.catalog.operations.finish(open_of(world, box)[0].id, {})
    enforcing.enforce(world.catalog, FastClock(T - 5000))
    assert len(open_of(world, box)) == 1, "and told at the link that is there"


# -- with a catalog and a cloud


def carry_out(world: World, instance: Instance) -> Any:
    """What the dispatcher does with the end that is due."""
    (operation,) = [one for one in open_of(world, instance) if one.kind != deadlines.KIND]
    story = {"instance.stop": ending.stop, "instance.terminate": ending.terminate}[operation.kind]
    return story(world.means, instance.id)


def open_of(world: World, instance: Instance) -> list[Operation]:
    return list(world.catalog.operations.open_for(instance.id))


def notices(world: World, kind: str) -> list[Notice]:
    return [one for one in world.catalog.notices.since(0)[1] if one.kind == kind]


def until(world: World, instance: Instance, left_s: float) -> None:
    at = world.row(instance).deadline_at
    assert at is not None
    world.clock._now = at - left_s


def launched(world: World, **wish: Any) -> Instance:
    made = world.launched(lifetime_s=7200, **wish)
    for operation in open_of(world, made):
        world.catalog.operations.finish(operation.id, {})
    return made


def test_the_engine_stops_a_machine_at_its_deadline_and_its_disk_stays(world: World) -> None:
    made = launched(world, name="box")
    until(world, made, 1000)
    enforcing.enforce(world.catalog, world.clock)
    assert not notices(world, "deadline")
    until(world, made, 800)
    for _ in range(3):
        enforcing.enforce(world.catalog, world.clock)
    (warning,) = notices(world, "deadline")
    assert "its disk stays" in warning.sentence
    assert warning.title == "box ends soon"
    until(world, made, 0)
    for _ in range(3):
        enforcing.enforce(world.catalog, world.clock)
    assert world.row(made).wanted == "stopped"
    carry_out(world, made)
    assert world.row(made).cloud_state == "stopped"
    assert world.living(), "the disk is there, and costs what it costs"


def test_where_nothing_can_be_stopped_it_is_terminated_and_says_what_goes(
    make_world: Callable[..., World],
) -> None:
    world = make_world(ToyListed)
    made = launched(world, name="box")
    run = world.catalog.runs.create(a_run("cnn-3"), [made.id])
    finish(world.catalog, run.id)
    world.catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "file", 3, "ab" * 32)])
    until(world, made, 100)
    enforcing.enforce(world.catalog, world.clock)
    (warning,) = notices(world, "deadline")
    assert "terminated" in warning.sentence
    assert "cnn-3 (1 file)" in warning.sentence
    until(world, made, 0)
    enforcing.enforce(world.catalog, world.clock)
    assert world.row(made).wanted == "terminated"
    carry_out(world, made)
    assert not world.living()


def test_an_end_that_the_cloud_refuses_is_asked_for_again_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = launched(world, name="box")
    until(world, made, 0)

    def enforced() -> int:
        return enforcing.enforce(world.catalog, world.clock)

    assert enforced()
    for operation in open_of(world, made):
        world.catalog.operations.fail(operation.id, {"code": "permission", "message": "no", "hint": ""})
    world.catalog.instances.update(made.id, wanted="running")  # as a refused stop leaves it
    assert not enforced()
    until(world, made, -deadlines.AGAIN_S)
    assert enforced()
    world.catalog.instances.update(made.id, wanted="running")
    until(world, made, -deadlines.LATE_S - 1)
    enforced()
    enforced()
    (late,) = notices(world, "overdue")
    assert late.sentence.startswith("box is past its deadline: ")


def test_a_stop_that_came_to_nothing_is_asked_for_again_and_beside_none_that_waits(world: World) -> None:
    made = launched(world, name="box")
    until(world, made, 0)
    enforcing.enforce(world.catalog, world.clock)
    until(world, made, -2 * deadlines.AGAIN_S)
    assert not enforcing.enforce(world.catalog, world.clock), "one waits for its cloud"
    for operation in open_of(world, made):  # by a defect, or without its library: it is wanted still
        world.catalog.operations.fail(operation.id, {"code": "internal", "message": "no", "hint": ""})
    assert world.row(made).wanted == "stopped"
    assert enforcing.enforce(world.catalog, world.clock)
    carry_out(world, made)
    assert world.row(made).cloud_state == "stopped"


def test_more_time_that_is_given_in_the_last_moment_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = launched(world, name="box")
    until(world, made, 0)
    seen_before = world.catalog.instances.list()
    deadlines.extend(world.catalog, made, world.clock.now() + 3600, now=world.clock.now() - 1)
    monkeypatch.setattr(world.catalog.instances, "list", lambda: seen_before)
    enforcing.enforce(world.catalog, world.clock)
    assert world.row(made).wanted == "running"


def test_a_start_is_held_against_what_others_were_promised_meanwhile(world: World) -> None:
    world.catalog.settings.set("budget.month", micro(1.2))
    first = launched(world, name="box", max_price=0.5)  # a dollar until its deadline
    commands.submit_stop(world.catalog, world.row(first))
    carry_out(world, first)
    launched(world, name="other", max_price=0.5)
    with pytest.raises(RefusedError) as refused:
        commands.submit_start(world.catalog, world.row(first), now=world.clock.now())
    assert refused.value.code == "budget"
    assert world.row(first).wanted == "stopped"


def test_more_time_is_given_by_a_row_and_told(world: World) -> None:
    made = launched(world, name="box")
    now = world.clock.now()
    until_then = now + 10_000
    asked = deadlines.extend(world.catalog, made, until_then, now=now)
    assert (asked.kind, asked.target) == ("instance.deadline", made.id)
    assert world.row(made).deadline_at == until_then
    again = deadlines.extend(world.catalog, made, until_then + 60, now=now)
    back = deadlines.extend(world.catalog, made, until_then, now=now)
    assert len({asked.id, again.id, back.id}) == 3, "the first value again is news again"
    with pytest.raises(UsageError):
        deadlines.extend(world.catalog, made, now - 1, now=now)
    with pytest.raises(RefusedError):
        deadlines.extend(world.catalog, world.catalog.instances.ensure_local(), until_then, now=now)
    world.end(made)
    with pytest.raises(RefusedError, match="gone"):
        deadlines.extend(world.catalog, made, until_then, now=now)


def test_a_longer_life_is_held_against_the_budget_and_a_shorter_one_is_not(world: World) -> None:
    made = launched(world, name="box")  # 0.50 an hour, for two hours
    now = world.clock.now()
    before = world.row(made).deadline_at
    assert before is not None
    world.catalog.settings.set("budget.launch", micro(1.5))
    deadlines.extend(world.catalog, made, now + 2.5 * 3600, now=now)
    with pytest.raises(RefusedError) as refused:
        deadlines.extend(world.catalog, made, now + 4 * 3600, now=now)
    assert refused.value.code == "budget"
    assert world.row(made).deadline_at == now + 2.5 * 3600, "what was promised stays"
    with pytest.raises(RefusedError):
        deadlines.extend(world.catalog, made, None, now=now)
    deadlines.extend(world.catalog, made, now + 60, now=now)
    assert world.row(made).deadline_at == now + 60


def test_what_it_was_promised_before_is_not_counted_twice(world: World) -> None:
    made = launched(world, name="box")  # a dollar until its deadline
    now = world.clock.now()
    world.catalog.settings.set("budget.month", micro(1.7))
    deadlines.extend(world.catalog, made, now + 3 * 3600, now=now)
    assert world.row(made).deadline_at == now + 3 * 3600


def test_a_started_machine_is_not_ended_at_once(world: World) -> None:
    made = launched(world, name="box")
    until(world, made, 0)
    enforcing.enforce(world.catalog, world.clock)
    carry_out(world, made)
    for operation in open_of(world, made):
        world.catalog.operations.finish(operation.id, {})
    world.clock._now += 86_400
    commands.submit_start(world.catalog, world.row(made), now=world.clock.now())
    row = world.row(made)
    assert row.deadline_at == world.clock.now() + 7200
    assert due(row, world.clock.now()) == []


def test_ones_own_machine_that_has_ended_is_held_no_more(world: World) -> None:
    box = world.catalog.instances.add(Instance("o1", "own", "ssh", Address("192.0.2.9"), deadline_at=T))
    enforcing.enforce(world.catalog, FastClock(T + 1))
    assert not open_of(world, box), "no cloud is asked"
    enforcing.enforce(world.catalog, FastClock(T + deadlines.LATE_S + 1))
    assert world.row(box).deadline_at is None


def test_a_cloud_is_told_of_another_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = launched(world)
    assert not enforcing.tell_cloud(made, "2030-01-01T00:00:00Z", 60), "the toy keeps none"
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(ToyCloud, "set_deadline", lambda _self, *args: seen.append(args))
    assert enforcing.tell_cloud(made, "2030-01-01T00:00:00Z", 60)
    assert seen == [(made.region, made.cloud_id, "2030-01-01T00:00:00Z", 60)]


def test_idleness_throws_no_result_away(make_world: Callable[..., World]) -> None:
    """Where the disk goes with the machine, its switch is told to wait while something lies there alone."""
    world = make_world()
    kept, spot = launched(world, name="kept"), launched(world, name="spot", spot=True, max_price=1.0)
    for made in (kept, spot):
        world.catalog.instances.update(made.id, link_state=LinkState.UP, link_since=1.0)

    def told() -> list[str]:
        """The machines that hear something new."""
        enforcing.enforce(world.catalog, world.clock)
        operations = [one for made in (kept, spot) for one in open_of(world, made)]
        for one in operations:
            world.catalog.operations.finish(one.id, {})
        return [world.catalog.instances.get(one.target).name for one in operations]

    def limits() -> list[int | None]:
        return [enforcing.idle_limit(world.catalog, world.row(made)) for made in (kept, spot)]

    while told():
        pass
    limit = world.the_launch(kept).wish.idle_s
    assert limits() == [limit, limit]
    for number in (1, 2):
        runs = [world.catalog.runs.create(a_run(f"r{number}"), [made.id]) for made in (kept, spot)]
        assert (told(), limits()) == (["spot"], [limit, 0]), "the switch knows it before the work is over"
        sha = f"{number}b" * 32
        for run in runs:
            finish(world.catalog, run.id)
            world.catalog.runs.add_artifacts(run.id, 1, [("m", "file", 3, sha)])
        assert (told(), limits()) == ([], [limit, 0])
        for run in runs:
            world.catalog.runs.mark_pulled(run.id, 1, "m")
        world.paths.file(sha).parent.mkdir(parents=True)
        world.paths.file(sha).touch()
        assert (told(), limits()) == (["spot"], [limit, limit])
        assert told() == []


def test_a_defect_about_one_machine_keeps_no_other_from_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (launched(world, name=name) for name in ("a", "b"))
    for one in (first, second):
        until(world, one, 0)
    real, bad = enforcing.can_be_stopped, first.id

    def can_be_stopped(instance: Instance) -> bool:
        if instance.id == bad:
            raise RuntimeError("a defect")
        return real(instance)

    monkeypatch.setattr(enforcing, "can_be_stopped", can_be_stopped)
    for _ in range(3):
        enforcing.enforce(world.catalog, world.clock)
    assert [one.kind for one in open_of(world, second)] == ["instance.stop"]
    assert not open_of(world, first)
    assert len(caplog.records) == 1, "once, though it is looked at every second"
    monkeypatch.setattr(enforcing, "can_be_stopped", real)
    enforcing.enforce(world.catalog, world.clock)
    assert [one.kind for one in open_of(world, first)] == ["instance.stop"]
