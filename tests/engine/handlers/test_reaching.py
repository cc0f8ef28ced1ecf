"""Work at a host that cannot always be reached."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cloudtui_engine.errors import AuthError, UnreachableError
from cloudtui_engine.handlers import reaching
from cloudtui_engine.handlers.context import Withdrawn
from cloudtui_engine.hosts.bulk import Cancelled

HOST: Any = SimpleNamespace(id="i", name="box")


class _Clock:
    """Time that goes on by what is waited, and by what work takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(reaching, "time", clock)
    return clock


def insisting(clock: _Clock, work: Any, *, broken: int = 0) -> tuple[Any, list[str]]:
    """What comes of the work where so many sessions fail to open, and what was said."""
    said: list[str] = []
    failures = iter([UnreachableError("It does not answer.")] * broken)

    @contextlib.contextmanager
    def session(_timeout: float) -> Iterator[str]:
        if (failure := next(failures, None)) is not None:
            raise failure
        yield "session"

    context: Any = SimpleNamespace(
        links=SimpleNamespace(to=lambda _id: SimpleNamespace(session=session)), closing=clock
    )
    return reaching.insisting(context, HOST, lambda text, *_: said.append(text), work), said


def test_it_waits_for_the_host_and_then_works(clock: _Clock) -> None:
    done, said = insisting(clock, lambda session, _report: f"{session}: done", broken=3)
    assert done == "session: done"
    assert said == ["Waiting for box: It does not answer."] * 3


def test_it_gives_up_once_nothing_was_heard_for_long(clock: _Clock) -> None:
    with pytest.raises(UnreachableError):
        insisting(clock, lambda *_: None, broken=10_000)
    assert reaching.PATIENCE_S < clock.now < reaching.PATIENCE_S + 2


def test_a_host_that_answers_is_given_time(clock: _Clock) -> None:
    parts = 0

    def work(_session: str, report: reaching.Report) -> str:
        nonlocal parts
        parts += 1
        clock.now += reaching.PATIENCE_S * 2
        report("A part more", parts, 4)
        if parts < 4:
            raise UnreachableError("The link broke.")
        return "whole"

    done, said = insisting(clock, work)
    assert (done, parts) == ("whole", 4)
    assert said.count("A part more") == 4


@pytest.mark.parametrize(
    ("raised", "ends"),
    [(Cancelled(), Withdrawn), (AuthError("No."), AuthError)],
    ids=["cancelled", "refused"],
)
def test_what_time_does_not_mend_ends_it_at_once(
    clock: _Clock, raised: Exception, ends: type[Exception]
) -> None:
    def work(*_: object) -> None:
        raise raised

    with pytest.raises(ends):
        insisting(clock, work)
    assert not clock.now
