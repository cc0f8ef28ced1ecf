"""Threads that hundreds of duties share: whoever is stuck holds up nobody, nothing is done twice at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.sshd import wait_for

from cloudtui_engine.hosts import crew as crews
from cloudtui_engine.hosts.crew import Crew, Duty

NAME = "test-crew"


def threads() -> int:
    return sum(one.name.startswith(NAME) for one in threading.enumerate())


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """A crew whose threads end soon; they have ended when the test is over."""
    monkeypatch.setattr(crews, "SPARE_S", 0.2)
    yield Crew(NAME)
    wait_for(lambda: not threads(), "the crew's threads end")


def ended(duty: Duty) -> bool:
    duty.wake()
    return duty.join(20)


def test_duties_that_are_stuck_hold_up_no_other(crew: Crew) -> None:
    release, begun = threading.Event(), []

    def stuck() -> None:
        begun.append(1)
        release.wait(60)

    held = [crew.duty(stuck) for _ in range(40)]
    for duty in held:
        duty.wake()
    wait_for(lambda: len(begun) == 40, "all are begun")
    assert ended(crew.duty(lambda: None))
    release.set()
    assert all(duty.join(20) for duty in held)


def test_quiet_duties_share_a_few_threads(crew: Crew) -> None:
    done: dict[int, int] = {}
    over = threading.Event()

    def look(number: int) -> Callable[[], float | None]:
        def work() -> float | None:
            done[number] = done.get(number, 0) + 1
            return None if over.is_set() else 0.05

        return work

    duties = [crew.duty(look(number)) for number in range(300)]
    for duty in duties:
        duty.wake()
    wait_for(lambda: len(done) == 300 and min(done.values()) >= 3, "each again and again, by itself")
    assert threads() < 30
    over.set()
    assert all(duty.join(20) for duty in duties)


def test_a_duty_is_done_by_one_thread_at_a_time_and_again_for_a_wake_meanwhile(crew: Crew) -> None:
    inside, most, turns = 0, 0, 0
    step = threading.Semaphore(0)

    def work() -> float | None:
        nonlocal inside, most, turns
        inside += 1
        most = max(most, inside)
        turns += 1
        step.acquire(timeout=60)
        inside -= 1
        return math.inf if turns < 2 else None

    duty = crew.duty(work)
    duty.wake()
    wait_for(lambda: turns == 1, "the first turn")
    for _ in range(10):
        duty.wake()
    step.release(2)
    assert duty.join(20)
    assert (turns, most) == (2, 1)


def test_what_rests_is_done_when_its_time_comes_or_it_is_woken(crew: Crew) -> None:
    turns: list[float] = []
    rests: list[float | None] = [0.3, 60.0, None]

    def work() -> float | None:
        turns.append(time.monotonic())
        return rests[len(turns) - 1]

    duty = crew.duty(work)
    duty.wake()
    wait_for(lambda: len(turns) == 2, "its time comes")
    assert turns[1] - turns[0] >= 0.3
    assert ended(duty)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_ends_its_own_duty_alone(crew: Crew) -> None:
    def broken() -> None:
        raise ValueError

    assert ended(crew.duty(broken))
    assert ended(crew.duty(lambda: None))


def test_a_duty_does_not_wait_for_itself(crew: Crew) -> None:
    found: list[bool] = []

    def work() -> None:
        found.append(duty.join(60))

    duty = crew.duty(work)
    assert ended(duty)
    assert found == [False]
