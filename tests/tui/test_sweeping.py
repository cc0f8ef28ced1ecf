"""Garbage is collected between paints, and all of it where nobody waits."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from cloudtui import sweeping
from cloudtui.sweeping import EVERY_S, LATEST_S, REST_S, Sweeper


class Clock:
    """A clock that is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time that a sweeper sees."""
    made = Clock()
    monkeypatch.setattr(sweeping, "monotonic", made)
    return made


@pytest.fixture
def sweeper(clock: Clock) -> Iterator[Sweeper]:
    """One that is entered."""
    with Sweeper() as made:
        yield made
    assert gc.isenabled()
    assert not gc.get_freeze_count()
    gc.freeze()  # as tests/conftest.py left it


class Ring:
    """Only the collector frees it."""

    freed = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Ring.freed += 1


def test_the_collector_does_not_come_by_itself(sweeper: Sweeper) -> None:
    assert not gc.isenabled()
    before = Ring.freed
    Ring()
    [[] for _ in range(10_000)]
    assert Ring.freed == before
    assert sweeper.look() == 1
    assert Ring.freed == before + 1


def test_all_there_is_waits_for_a_rest(sweeper: Sweeper, clock: Clock) -> None:
    assert sweeper.look() == 1
    clock.now += EVERY_S + 1
    sweeper.touched()
    clock.now += REST_S / 2
    assert sweeper.look() == 1
    clock.now += REST_S
    assert sweeper.look() == 2
    assert sweeper.look() == 1


def test_it_does_not_wait_for_ever(sweeper: Sweeper, clock: Clock) -> None:
    clock.now += LATEST_S + 1
    sweeper.touched()
    assert sweeper.look() == 2
