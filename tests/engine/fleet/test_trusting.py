"""A clock of this machine that was set ends no machine early, and none late."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.fleet.test_deadlines import launched, notices, open_of
from tests.engine.fleet.world import World

from cloudtui_engine.fleet import deadlines, due, enforcing, trusting
from cloudtui_engine.fleet.trusting import FRESH_S, TOLERANCE_S, Clocks, Reckoned, ahead, reckon
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Listing
from cloudtui_providers import times
from cloudtui_providers.times import LASTING_S, SEVERAL, Told

DAYS_3 = 3 * 86_400.0
LIFE_S = 7200.0


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    yield
    times._newest.clear()


# -- pure


def test_a_word_counts_while_it_is_fresh_and_our_clock_was_not_set() -> None:
    told = Told(at=1000.0, wall=1005.0, steady=7.0)
    assert ahead(told, 1015.0, 17.0) == 5.0
    assert ahead(told, 1015.0 + DAYS_3, 17.0) is None, "set since"
    assert ahead(told, 1015.0 - DAYS_3, 17.0) is None
    assert ahead(told, 1005.0 + FRESH_S + 1, 7.0 + FRESH_S + 1) is None, "old"
    assert ahead(told, 900.0, 2.0) is None, "of another boot"


def said(at: float = 5000.0, ahead_s: float = 0.0, *, is_sure: bool = True) -> Reckoned:
    return Reckoned(at, ahead_s, is_sure, wall=1000.0, steady=50.0)


def now(
    *, later: float = 60.0, set_by: float = 0.0, cloud: float | None = None, agreed: bool = False
) -> Clocks:
    """So much later; ours was set by so much, and the cloud says that it is ahead by `cloud`."""
    wall, steady = 1000.0 + later + set_by, 50.0 + later
    if cloud is None:
        return Clocks(wall, steady)
    first = Told(0.0, 0.0, steady - LASTING_S) if agreed else None
    return Clocks(wall, steady, Told(wall - cloud, wall, steady, first, SEVERAL if agreed else 1))


def test_a_deadline_moves_with_the_clock_it_was_said_by() -> None:
    first = reckon(5000.0, None, now(cloud=9.0))
    assert first == Reckoned(5000.0, 9.0, is_sure=True, wall=1060.0, steady=110.0)
    assert reckon(5000.0, None, now()) is None, "nobody knows"
    anew = reckon(5000.0, said(4000.0), now(set_by=DAYS_3, cloud=DAYS_3))
    assert anew is not None
    assert anew.at == 5000.0, "it was said anew, by the clock as it is"
    for by in (DAYS_3, -DAYS_3):
        moved = reckon(5000.0, said(), now(set_by=by, cloud=by))
        assert moved is not None
        assert moved.at == 5000.0 + by
    assert reckon(5000.0, said(), now(set_by=DAYS_3)) is None, "nothing was heard since"
    assert reckon(5000.0, said(), now(cloud=TOLERANCE_S)) == said()


@pytest.mark.parametrize("cloud", [DAYS_3, -DAYS_3])
def test_one_date_that_is_wrong_moves_nothing(cloud: float) -> None:
    assert reckon(5000.0, said(), now(cloud=cloud)) == said()
    assert reckon(5000.0, said(), now()) == said(), "nor does silence, where our own clocks go along"
    assert reckon(5000.0, said(), now(set_by=7200.0, cloud=cloud)) is None, "set, and not by as much"
    wrong = reckon(5000.0, None, now(cloud=cloud))
    assert wrong is not None
    assert (wrong.at, wrong.is_sure) == (5000.0, False)
    right = reckon(5000.0, wrong, now(later=120.0, cloud=0.0))
    assert right == wrong._replace(ahead_s=0.0, is_sure=True), "it was that Date's slip"


def test_many_dates_that_agree_move_it_but_never_to_more_time_than_there_was() -> None:
    earlier = reckon(5000.0, said(), now(cloud=-3600.0, agreed=True))
    assert earlier is not None
    assert earlier.at == 1400.0, "our clocks stood still, as those of a machine that was paused"
    assert reckon(5000.0, said(), now(cloud=DAYS_3, agreed=True)) == said(), "our own clocks went along"
    rebooted = reckon(5000.0, said(), now(set_by=7777.0, cloud=DAYS_3, agreed=True))
    assert rebooted is not None
    assert rebooted.at == 1000.0 + 60.0 + 7777.0 + 4000.0


def test_what_has_had_its_whole_time_is_over_whatever_is_told() -> None:
    for cloud in (None, 777.0):
        over = reckon(5000.0, said(), now(later=4001.0, set_by=-DAYS_3, cloud=cloud))
        assert over is not None
        assert over.at < 1000.0 + 4001.0 - DAYS_3
        assert reckon(5000.0, said(), now(later=3999.0, set_by=-DAYS_3, cloud=cloud)) is None


steps = st.lists(
    st.tuples(
        st.floats(1.0, 900.0),  # so much time passes
        st.sampled_from([0.0, 0.0, 0.0, 30.0, -30.0, 3600.0, -3600.0, DAYS_3, -DAYS_3]),  # the clock is set
        st.booleans(),  # and the cloud answers
        st.booleans(),  # the engine is another one: nothing was heard by it
        st.sampled_from([0.0, 0.0, 0.0, 1800.0, 2e5, -2e5]),  # with a Date that is wrong (in its own way)
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps=steps, wrong=st.sampled_from([0.0, DAYS_3, -DAYS_3]))
def test_however_it_is_set_it_ends_when_its_time_is_used_up(
    steps: list[tuple[float, float, bool, bool, float]], wrong: float
) -> None:
    """By the true time: never before, and once it is over at once, whatever single Dates say."""
    true, our, drift = 1e9, 1e9 + wrong, 0.0
    deadline_at, kept = our + LIFE_S, None
    told: Told | None = None
    for passed, set_by, answers, restarts, off in [(0.0, 0.0, True, False, 0.0), *steps]:
        true, our = true + passed, our + passed + set_by
        drift += abs(set_by) if abs(set_by) <= TOLERANCE_S else 0.0
        told = None if restarts else told
        if answers:
            told = times.after(told, Told(true + off, our, true))
        found = reckon(deadline_at, kept, Clocks(our, true, told))
        left = 1e9 + LIFE_S - true
        if found is None:
            assert left > -TOLERANCE_S, "late"
            continue
        deadline_at, kept = found.at, found
        if our >= deadline_at:
            assert left <= TOLERANCE_S + drift, "early"
            return
        assert left >= -TOLERANCE_S - drift, "late"


# -- with a catalog and a cloud that says what time it is


def hears(world: World, off: float = 0.0) -> None:
    """The cloud's clock is right (or off by so much), whatever ours is."""
    told = Told(world.clock.steady() + off, world.clock.now(), world.clock.steady())
    times._newest["toy"] = times.after(times._newest.get("toy"), told)


def enforced(world: World) -> int:
    return enforcing.enforce(world.catalog, world.clock)


def ends(world: World, instance: Instance) -> list[str]:
    return [one.kind for one in open_of(world, instance) if one.kind != deadlines.KIND]


def test_a_clock_that_was_set_forward_ends_nothing(world: World) -> None:
    made = launched(world, name="box")
    hears(world)
    enforced(world)
    world.clock.set_s = DAYS_3
    enforced(world)
    assert not ends(world, made), "nobody knows what time it is"
    assert world.row(made).deadline_at == made.deadline_at
    hears(world)
    enforced(world)
    assert not ends(world, made)
    assert world.row(made).deadline_at == pytest.approx((made.deadline_at or 0) + DAYS_3)
    (told,) = notices(world, "clock")
    assert "3 days, 0:00:00 forward, as toy has it" in told.sentence
    world.clock._now += LIFE_S + 1
    enforced(world)
    assert ends(world, made) == ["instance.stop"], "when its time is used up: our own clocks went along"


@pytest.mark.parametrize("off", [DAYS_3, -DAYS_3])
def test_one_wrong_date_of_a_cloud_neither_ends_nor_prolongs_a_machine(world: World, off: float) -> None:
    made = launched(world, name="box")
    hears(world)
    enforced(world)
    before = world.row(made).deadline_at
    hears(world, off)
    enforced(world)
    assert (world.row(made).deadline_at, ends(world, made)) == (before, [])
    assert not notices(world, "clock")


def test_a_date_that_stands_still_prolongs_no_machine(world: World) -> None:
    made = launched(world, name="box")
    stuck, minutes = world.clock.now(), int(LIFE_S // 60) + 2
    for _ in range(minutes):
        hears(world, stuck - world.clock.now())
        enforced(world)
        world.clock._now += 60
    assert ends(world, made) == ["instance.stop"]
    assert not notices(world, "clock")


def test_a_clock_that_was_set_back_keeps_no_machine_for_longer(world: World) -> None:
    world.clock._now += DAYS_3  # it was ahead when the machine was launched
    made = launched(world, name="box")
    world.clock._now, world.clock.set_s = world.clock._now - DAYS_3, DAYS_3
    hears(world)
    enforced(world)
    world.clock.set_s = 0.0
    hears(world)
    enforced(world)
    assert world.row(made).deadline_at == pytest.approx((made.deadline_at or 0) - DAYS_3)
    world.clock._now += LIFE_S + 1
    hears(world)
    enforced(world)
    assert ends(world, made) == ["instance.stop"]


def test_an_engine_that_has_heard_nothing_yet_ends_nothing(world: World) -> None:
    made = launched(world, name="box")
    world.clock._now += LIFE_S + 1
    world.catalog.engine_sessions.begin(1, "1")  # now, in truth: the looks were before it
    world.catalog.listings.save(trusted_look(world, complete=False))
    enforced(world)
    assert not ends(world, made)
    world.catalog.listings.save(trusted_look(world, complete=True))
    enforced(world)
    assert ends(world, made), "this cloud tells no time: our clock is believed"


def trusted_look(world: World, *, complete: bool) -> Listing:
    return Listing("toy", "north-1", world.clock.now() + 1e8, complete, "")


def test_more_time_that_is_given_meanwhile_is_by_the_clock_as_it_was_then(world: World) -> None:
    made = launched(world, name="box")
    hears(world)
    enforced(world)
    world.clock.set_s = DAYS_3
    deadlines.extend(world.catalog, made, world.clock.now() + 3600, now=world.clock.now())
    hears(world)
    enforced(world)
    assert world.row(made).deadline_at == world.clock.now() + 3600


def test_a_cloud_is_told_moments_by_its_own_clock(world: World) -> None:
    at = world.clock.now() + 3600
    assert trusting.by_cloud("toy", at, world.clock) == at
    world.clock.set_s = DAYS_3
    hears(world)
    assert trusting.by_cloud("toy", at + DAYS_3, world.clock) == at + DAYS_3, "one Date is no proof"
    for _ in range(SEVERAL - 1):
        hears(world)
    assert trusting.by_cloud("toy", at + DAYS_3, world.clock) == pytest.approx(at)


def test_looks_go_on_after_the_clock_was_set_back(world: World) -> None:
    """The stretches of time that come again are other ones."""
    launched(world, name="box")
    world.clock._now += 7200.0

    def looks() -> set[str]:
        facts = due.read(world.catalog, world.clock)
        return {key for kind, _, key, _ in due.due(facts) if kind == "fleet.reconcile"}

    before = looks()
    world.clock._now, world.clock.set_s = world.clock._now + 600.0, -600.0
    assert world.clock.now() == world.clock.steady() - 600.0
    assert not looks() & before
