"""What is tried next: never two requests that may both make a machine, and an end after finitely many."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudtui_engine.fleet import attempts
from cloudtui_engine.fleet.attempts import (
    MOST_ATTEMPTS,
    Adopted,
    Candidate,
    End,
    Plan,
    Resolve,
    Send,
    candidates,
    next_step,
)
from cloudtui_engine.records.launch import AttemptState as S
from cloudtui_engine.records.launch import LaunchAttempt, Wish
from cloudtui_providers.base import Offer

PLACES = [Candidate(region, f"{region}{zone}", "big", spot=False) for region in "rs" for zone in "abc"]
CODES = ["capacity", "quota", "auth", "permission", "invalid_order", "throttled", "unreachable", "ambiguous"]
STOPS = {"auth", "permission", "invalid_order"}


def past(number: int, place: Candidate, state: S, code: str = "") -> LaunchAttempt:
    error = {"code": code, "message": "words"} if code else {}
    return LaunchAttempt(
        "l", number, place.region, place.zone, place.type, place.spot, state=state, error=error
    )


def offer(region: str, zone: str, price: float | None, **fields: object) -> Offer:
    made = Offer("toy", region, zone, "big", "A100", 1, 1, 1, 1, price)
    return replace(made, **fields)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), token=st.booleans())
def test_never_two_that_may_both_live_and_an_end(data: st.DataObject, token: bool) -> None:
    """A cloud that answers anything at all, and may have made a machine whenever its answer is lost."""
    made: list[LaunchAttempt] = []
    machines: set[int] = set()
    """Attempts of which a machine may have come, and which are not known to be without."""
    for _ in range(20 * MOST_ATTEMPTS):
        step = next_step(made, PLACES)
        match step:
            case Plan(number, place):
                assert not machines
                assert number == len(made) + 1
                made.append(past(number, place, S.PLANNED))
            case Send(attempt):
                assert machines <= {attempt.number}
                code = data.draw(st.sampled_from([*CODES, ""]))
                made[-1] = _sent(attempt, code, machines)
            case Resolve(attempt):
                assert machines <= {attempt.number}
                found = data.draw(st.booleans())
                machines.discard(attempt.number)
                made[-1] = replace(attempt, state=S.ADOPTED if found else S.ABSENT)
            case Adopted(attempt):
                assert attempt is made[-1]
                return
            case End():
                assert not machines
                assert all(one.state.is_dead for one in made)
                return
    pytest.fail("it does not end")


def _sent(attempt: LaunchAttempt, code: str, machines: set[int]) -> LaunchAttempt:
    if code == "":
        return replace(attempt, state=S.ADOPTED)
    if code == "ambiguous":
        machines.add(attempt.number)
        return replace(attempt, state=S.UNRESOLVED, error={"code": code})
    if code in attempts.PASSING:
        # The same again, and at last it is answered.
        return replace(attempt, state=S.ADOPTED)
    return replace(attempt, state=S.REFUSED, error={"code": code, "message": ""})


@pytest.mark.parametrize(
    ("code", "zone"), [("capacity", "rb"), ("quota", "sa"), ("ambiguous", "ra"), ("", "ra")]
)
def test_where_to_next(code: str, zone: str) -> None:
    state = S.REFUSED if code in {"capacity", "quota"} else S.ABSENT
    step = next_step([past(1, PLACES[0], state, code)], PLACES)
    assert isinstance(step, Plan)
    assert (step.number, step.candidate.zone) == (2, zone)


@pytest.mark.parametrize("code", [*sorted(STOPS), "not_installed", "something"])
def test_what_only_a_person_can_mend_is_the_end(code: str) -> None:
    step = next_step([past(1, PLACES[0], S.REFUSED, code)], PLACES)
    assert isinstance(step, End)
    assert step.error["code"] == code


def test_a_region_without_zones_is_refused_as_a_whole() -> None:
    whole = Candidate("r", "", "big", spot=False)
    step = next_step([past(1, whole, S.REFUSED, "capacity")], [whole, *PLACES])
    assert isinstance(step, Plan)
    assert step.candidate.region == "s"


def test_what_may_live_comes_before_everything() -> None:
    for state in (S.SENT, S.UNRESOLVED):
        alive = past(1, PLACES[0], state, "auth")
        assert next_step([alive], PLACES, too_late="gone") == Resolve(alive)


def test_too_late_nothing_is_sent() -> None:
    assert isinstance(next_step([past(1, PLACES[0], S.PLANNED)], PLACES, too_late="late"), End)
    assert isinstance(next_step([], PLACES, too_late="late"), End)


def test_nothing_is_offered() -> None:
    step = next_step([], [])
    assert isinstance(step, End)
    assert step.error["code"] == "no_offer"


def test_a_request_whose_answer_is_lost_three_times_is_given_up() -> None:
    lost = [past(number, PLACES[0], S.ABSENT, "ambiguous") for number in (1, 2, 3)]
    assert isinstance(next_step(lost[:2], PLACES), Plan)
    assert isinstance(next_step(lost, PLACES), End)


def test_prices_are_held_and_an_unknown_one_passes_none() -> None:
    offers = [offer("r", "ra", 1.0), offer("r", "rb", 3.0), offer("r", "rc", None)]
    wish = Wish("toy", type="big", max_price=2.0)
    assert [one.zone for one in candidates(wish, [], offers)] == ["ra"]
    assert [one.zone for one in candidates(replace(wish, max_price=None), [], offers)] == ["ra", "rb", "rc"]
    spot = replace(wish, spot=True, on_demand_cap=1.0)
    assert [(one.zone, one.spot) for one in candidates(spot, offers, offers)] == [
        ("ra", True), ("rc", True), ("ra", False),
    ]  # fmt: skip
    assert all(one.spot for one in candidates(replace(spot, on_demand_cap=None), offers, offers))


def test_what_the_wish_names_is_what_is_tried() -> None:
    offers = [offer("r", "ra", 1.0), offer("s", "", 1.0), offer("s", "sb", 1.0, gpu="T4", available=None)]
    assert [one.zone for one in candidates(Wish("toy", gpu="t4"), [], offers)] == ["sb"]
    assert [one.region for one in candidates(Wish("toy", regions=("s",)), [], offers)] == ["s", "s"]
    assert [one.zone for one in candidates(Wish("toy", zones=("1", "ra")), [], offers)] == ["ra", "1"]
    assert candidates(Wish("toy", type="small"), [], offers) == []
    none = [replace(one, available=False) for one in offers]
    assert candidates(Wish("toy"), [], none) == []


def test_without_offers_only_what_is_named_and_has_no_price() -> None:
    named = Wish("toy", type="big", regions=("r", "s"), zones=("ra",))
    assert [one.zone for one in attempts.without_offers(named)] == ["ra"]
    assert attempts.without_offers(replace(named, max_price=1.0)) == []
    assert attempts.without_offers(replace(named, max_price=1.0, spot=True)) != []
    assert attempts.without_offers(replace(named, type="", gpu="a100")) == []
