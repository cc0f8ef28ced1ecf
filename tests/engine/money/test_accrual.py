"""What accrues from moments at which a machine was seen: never doubled, never lost, never made up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.money.accrual import (
    DISK,
    ESTIMATED,
    GAP_MS,
    MACHINE,
    OBSERVED,
    OVERTIME_MS,
    Interval,
    Seen,
    accrue,
    owed,
)
from cloudtui_engine.money.amounts import HOUR_MS, micro
from cloudtui_engine.money.shares import Stay, share

MINUTE = 60_000
RATE = micro("1.10")


def kept_after(sightings: Sequence[Seen], what: str = MACHINE) -> list[Interval]:
    """What a table holds after these, each told twice: as a killed engine's next one may."""
    rows: dict[int, Interval] = {}
    for seen in sightings:
        for _ in range(2):
            last = rows[max(rows)] if rows else None
            rows |= {one.started_ms: one for one in accrue(last, what, seen)}
    return [rows[key] for key in sorted(rows)]


def up(minutes: float, rate: int = RATE, **more: int) -> Seen:
    return Seen(int(minutes * MINUTE), {MACHINE: rate}, **more)


def down(minutes: float, **more: int) -> Seen:
    return Seen(int(minutes * MINUTE), {}, **more)


def total(rows: Sequence[Interval]) -> int:
    return sum(one.cost() for one in rows)


def test_an_hour_that_is_watched_costs_the_price() -> None:
    rows = kept_after([up(minute) for minute in range(61)])
    assert rows == [Interval(MACHINE, 0, HOUR_MS, RATE, OBSERVED, is_open=True)]
    assert total(rows) == 1_100_000


def test_a_gap_without_an_engine_is_paid_for_and_called_an_estimate() -> None:
    rows = kept_after([up(0), up(1), up(600), up(601), down(602)])
    assert [(one.started_ms // MINUTE, one.ended_ms // MINUTE, one.ground) for one in rows] == [
        (0, 1, OBSERVED), (1, 600, ESTIMATED), (600, 602, OBSERVED),
    ]  # fmt: skip
    assert not any(one.is_open for one in rows)


def test_nothing_is_paid_for_while_it_is_known_to_be_stopped() -> None:
    rows = kept_after([up(0), down(2), down(500), up(1000), down(1003)])
    assert total(rows) == 5 * MINUTE * RATE // HOUR_MS


def test_the_cloud_says_since_when_it_runs() -> None:
    assert kept_after([up(10, since_ms=7 * MINUTE)])[0].started_ms == 7 * MINUTE
    again = kept_after([up(0), down(5), up(100, since_ms=2 * MINUTE)])
    assert again[-1].started_ms == 5 * MINUTE, "Not before it was known to be stopped."


def test_one_that_ended_unwatched_ended_by_its_deadline() -> None:
    rows = kept_after([up(0), down(5000, ended_by_ms=240 * MINUTE)])
    assert rows[-1].ended_ms == 240 * MINUTE + OVERTIME_MS
    late = kept_after([up(0), up(4000, ended_by_ms=240 * MINUTE)])
    assert late[-1].ended_ms == 4000 * MINUTE, "It is still there: so it was paid for all the time."


def test_another_price_holds_from_now_on() -> None:
    rows = kept_after([up(0), up(1, 2 * RATE), up(2, 2 * RATE)])
    assert [(one.rate, one.cost()) for one in rows] == [
        (RATE, RATE // 60), (2 * RATE, 2 * RATE // 60),
    ]  # fmt: skip


def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    rows = kept_after([up(0), up(4), up(2), up(5)])
    assert [(one.started_ms, one.ended_ms) for one in rows] == [(0, 5 * MINUTE)]


@pytest.mark.parametrize(
    ("state", "paid"),
    [
        (None, {MACHINE}), ("pending", {MACHINE, DISK}), ("running", {MACHINE, DISK}),
        ("stopping", {MACHINE, DISK}), ("stopped", {DISK}), ("terminating", {MACHINE, DISK}),
        ("terminated", set()), ("vanished", set()),
    ],
)  # fmt: skip
def test_what_is_paid_for_in_each_state(state: str | None, paid: set[str]) -> None:
    assert set(owed(state, RATE, 0 if state is None else 11_000)) == paid


SIGHTINGS = st.lists(
    st.tuples(st.integers(1, 3 * GAP_MS), st.sampled_from([None, RATE, 3 * RATE])), min_size=1, max_size=30
)


@given(SIGHTINGS)
def test_intervals_never_overlap_and_come_to_what_was_seen(steps: list[tuple[int, int | None]]) -> None:
    at, before, truth, sightings = 0, 0, 0, []
    for step, rate in steps:
        at += step
        truth += before * step
        before = rate or 0
        sightings.append(Seen(at, {} if rate is None else {MACHINE: rate}))
    rows = kept_after(sightings)
    assert all(one.ended_ms <= two.started_ms for one, two in pairwise(rows))
    assert 0 <= truth - sum(one.rate * (one.ended_ms - one.started_ms) for one in rows) == 0
    assert sum(one.is_open for one in rows) == (steps[-1][1] is not None)


@given(st.lists(st.integers(1, 2 * GAP_MS), min_size=2, max_size=20), st.data())
def test_however_often_the_books_are_kept_it_comes_to_the_same(steps: list[int], data: st.DataObject) -> None:
    """An engine that dies now and then sees fewer moments of the same machine, and bills the same time."""
    moments = [sum(steps[: n + 1]) for n in range(len(steps))]
    seen = {moments[0], moments[-1], *data.draw(st.sets(st.sampled_from(moments)))}
    rows = kept_after([Seen(at, {MACHINE: RATE}) for at in sorted(seen)])
    assert sum(one.ended_ms - one.started_ms for one in rows) == moments[-1] - moments[0]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**8), max_size=8))
def test_parts_come_to_the_whole(rate: int, cuts: list[int]) -> None:
    interval = Interval(MACHINE, 17, 10**8, rate)
    marks = sorted({0, *cuts, 2 * 10**8})
    assert sum(interval.cost(a, b) for a, b in pairwise(marks)) == interval.cost()


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=8),
    st.integers(1, 10**7),
)
def test_the_shares_of_all_runs_come_to_what_they_used(some: list[tuple[int, int, int]], rate: int) -> None:
    stays = [Stay(run, first * 1000, (first + took) * 1000) for run, first, took in some]
    paid = [Interval(MACHINE, 5_000, 60_000, rate), Interval(DISK, 0, 90_000, 777)]
    used = sorted({second for stay in stays for second in range(stay[1] // 1000, stay[2] // 1000)})
    whole = sum(one.cost(second * 1000, second * 1000 + 1000) for one in paid for second in used)
    assert sum(share(run, stays, paid) for run in {stay.run for stay in stays}) == whole


def test_two_at_once_pay_half_each() -> None:
    stays = [Stay(1, 0, 2 * HOUR_MS), Stay(2, HOUR_MS, 3 * HOUR_MS)]
    paid = [Interval(MACHINE, 0, 3 * HOUR_MS, 1_000_001)]
    assert [share(run, stays, paid) for run in (1, 2)] == [1_500_002, 1_500_001]


@pytest.mark.parametrize("wrong", ["-1", "nan", "inf", "1e30", "much", ""])
def test_what_is_no_amount(wrong: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        micro(wrong)
