from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.records.run import FINISHED, RunState
from cloudtui_engine.records.states import TRANSITIONS, can_move

STATE = st.sampled_from(RunState)


def test_the_table_is_complete() -> None:
    assert set(TRANSITIONS) == set(RunState)


@given(STATE, STATE)
def test_nothing_becomes_what_it_is(a: RunState, b: RunState) -> None:
    assert can_move(a, b) == (b in TRANSITIONS[a])
    assert not can_move(a, a)


@given(STATE)
def test_finished_is_final_but_for_lost(state: RunState) -> None:
    if state in FINISHED - {RunState.LOST}:
        assert not TRANSITIONS[state]
    else:
        assert TRANSITIONS[state]


@given(st.lists(STATE, max_size=30))
def test_nothing_goes_back_to_waiting(wishes: list[RunState]) -> None:
    state, seen = RunState.QUEUED, [RunState.QUEUED]
    for wish in wishes:
        if can_move(state, wish):
            state = wish
            seen.append(wish)
    assert RunState.QUEUED not in seen[1:]
    assert seen.count(RunState.STAGING) <= 1
    assert seen.count(RunState.STARTING) <= 1


def test_every_state_can_end() -> None:
    for state in RunState:
        reached, grown = {state}, True
        while grown:
            more = {after for one in reached for after in TRANSITIONS[one]} - reached
            reached |= more
            grown = bool(more)
        assert reached & FINISHED
