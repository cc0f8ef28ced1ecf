"""A clock of this machine that was set ends no machine early, and none late."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.fleet.test_deadlines import launched, notices, open_of
from tests.engine.fleet.world import World

from cloudtui_engine.fleet import deadlines, due, enforcing, trusting
from cloudtui_engine.fleet.trusting import FRESH_S, TOLERANCE_S, ahead, reckon
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Listing
from cloudtui_providers import times
from cloudtui_providers.times import Told

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


def test_a_deadline_moves_with_the_clock_it_was_said_by() -> None:
    assert reckon(5000.0, None, 9.0) == trusting.Reckoned(5000.0, 9.0)
    assert reckon(5000.0, (4000.0, 0.0), DAYS_3).at == 5000.0, "it was said anew, by the clock as it is"
    assert reckon(5000.0, (5000.0, 0.0), TOLERANCE_S) == trusting.Reckoned(5000.0, 0.0)
    assert reckon(5000.0, (5000.0, 0.0), DAYS_3) == trusting.Reckoned(5000.0 + DAYS_3, DAYS_3)
    assert reckon(5000.0, (5000.0, DAYS_3), 0.0) == trusting.Reckoned(5000.0 - DAYS_3, 0.0)


steps = st.lists(
    st.tuples(
        st.floats(1.0, 900.0),  # so much time passes
        st.sampled_from([0.0, 0.0, 0.0, 30.0, -30.0, 3600.0, -3600.0, DAYS_3, -DAYS_3]),  # the clock is set
        st.booleans(),  # and the cloud answers
        st.booleans(),  # the engine is another one: nothing was heard by it
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps=steps, wrong=st.sampled_from([0.0, DAYS_3, -DAYS_3]))
def test_however_it_is_set_it_ends_when_its_time_is_used_up(
    steps: list[tuple[float, float, bool, bool]], wrong: float
) -> None:
    """By the true time: never before, and once it is over at the first word of the cloud."""
    true, our, drift = 1e9, 1e9 + wrong, 0.0
    deadline_at, said = our + LIFE_S, None
    told: Told | None = Told(true, our, true)
    for passed, set_by, answers, restarts in [(1.0, 0.0, True, False), *steps]:
        true, our = true + passed, our + passed + set_by
        drift += abs(set_by) if abs(set_by) <= TOLERANCE_S else 0.0
        told = None if restarts else told
        told = Told(true, our, true) if answers else told
        by_cloud = None if told is None else ahead(told, our, true)
        if by_cloud is None:
            continue
        found = reckon(deadline_at, said, by_cloud)
        deadline_at, said = found.at, (found.at, found.ahead_s)
        left = 1e9 + LIFE_S - true
        is_due = our >= deadline_at
        assert not is_due or left <= TOLERANCE_S + drift, "early"
        if answers:
            assert is_due or left >= -TOLERANCE_S - drift, "late"


# -- with a catalog and a cloud that says what time it is


def hears(world: World) -> None:
    """The cloud's clock is right, whatever ours is."""
    times._newest["toy"] = Told(world.clock.steady(), world.clock.now(), world.clock.steady())


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
    assert not enforced(world), "the cloud's word is two hours old"
    hears(world)
    enforced(world)
    assert ends(world, made) == ["instance.stop"], "when its time is used up"


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
