"""What may go from a host: never results that are only there, never what something may need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs.cleaning import Entry, Known, Lying, Over, plan

OLD, NEW = "a" * 64, "b" * 64
ATTEMPT = "jobs/run1/a0001"
DONE = Over(
    RunState.SUCCEEDED, RunState.SUCCEEDED,
    is_script=False, is_deleted=False, left_there=0, has_doubts=False, is_worked_on=False,
)  # fmt: skip


def judged(name: str, known: Known, *more: Lying, state: str = "exited") -> Entry:
    found = plan([Lying(name, 5, state if name.startswith("jobs/") else ""), *more], known)
    return next(one for one in found if one.name == name)


def test_an_attempt_that_is_over_and_all_here_goes() -> None:
    assert judged(ATTEMPT, Known({("run1", 1): DONE})).goes


@pytest.mark.parametrize(
    "state", ["running", "starting", "ending", "orphan-running", "elsewhere", "missing", ""]
)
def test_what_may_live_there_stays(state: str) -> None:
    assert not judged(ATTEMPT, Known({("run1", 1): DONE}), state=state).goes


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": RunState.RUNNING}, "not over"),
        ({"is_worked_on": True}, "not over"),
        ({"left_there": 2}, "2 results lie only there"),
        ({"left_there": 1}, "1 result lies only there"),
        ({"has_doubts": True}, "could be read"),
        ({"state": RunState.LOST}, "lost"),
        ({"is_script": True}, "script"),
        ({"run_status": RunState.STOPPED}, "resumed"),
        ({"run_status": RunState.RUNNING}, "resumed"),
        ({"is_deleted": True, "left_there": 1}, "only there"),
    ],
)
def test_an_attempt_stays_while_anything_speaks_for_it(changed: dict[str, object], why: str) -> None:
    found = judged(ATTEMPT, Known({("run1", 1): replace(DONE, **changed)}))  # type: ignore[arg-type]
    assert not found.goes
    assert why in found.why


@pytest.mark.parametrize(
    "changed", [{"is_script": True}, {"state": RunState.FAILED, "run_status": RunState.FAILED}]
)
def test_what_is_in_the_trash_and_all_here_goes(changed: dict[str, object]) -> None:
    over = replace(DONE, is_deleted=True, **changed)  # type: ignore[arg-type]
    assert judged(ATTEMPT, Known({("run1", 1): over})).goes


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"run_status": RunState.STOPPED, "is_deleted": True}, ""),
        ({"run_status": RunState.STOPPED}, "may be resumed"),
        ({"run_status": RunState.LOST}, "may be resumed"),
        ({"run_status": RunState.RUNNING, "is_deleted": True}, "not over"),
        ({"is_worked_on": True}, "not over"),
        (None, "Not in this catalog"),
    ],
)
def test_checkpoints_that_were_brought_here_stay_while_their_run_may_be_resumed(
    changed: dict[str, object] | None, why: str
) -> None:
    over = None if changed is None else replace(DONE, **changed)  # type: ignore[arg-type]
    found = judged("checkpoints/run1", Known(runs={} if over is None else {"run1": over}))
    assert (found.goes, why in found.why) == (not why, True)


def test_what_is_not_known_here_stays_and_keeps_what_it_may_need() -> None:
    assert not judged(ATTEMPT, Known()).goes
    stranger = Lying("jobs/other/a0001", 5, "running")
    known = Known(here=frozenset({f"data/{OLD}", f"script/{OLD}"}))
    for kind in ("host", "trainer", "script", "model", "data", "wheels"):
        assert judged(f"{kind}/{OLD}", known).goes, kind
        assert not judged(f"{kind}/{OLD}", known, stranger).goes, kind
        assert judged(f"{kind}/{OLD}", known, replace(stranger, state="exited")).goes, kind


def test_what_is_used_needed_or_the_only_copy_stays() -> None:
    known = Known(
        current=frozenset({f"trainer/{NEW}"}),
        needed={f"data/{NEW}": "cnn-1 needs it.", "model/": "cnn-1 needs it."},
        here=frozenset({f"data/{NEW}", f"data/{OLD}"}),
    )
    goes = {
        name: judged(name, known).goes
        for name in (
            f"trainer/{NEW}", f"trainer/{OLD}", f"data/{NEW}", f"data/{OLD}", f"data/{'c' * 64}",
            f"model/{OLD}", f"script/{OLD}", f"env/{OLD}",
        )
    }  # fmt: skip
    assert [name for name, may in goes.items() if may] == [f"trainer/{OLD}", f"data/{OLD}"]


def test_beside_a_live_job_only_data_that_it_does_not_use_goes() -> None:
    known = Known(here=frozenset({f"data/{OLD}", f"script/{OLD}"}), busy=True)
    kinds = ("host", "trainer", "script", "model", "data", "wheels", "env")
    assert [kind for kind in kinds if judged(f"{kind}/{OLD}", known).goes] == ["data"]


@given(
    st.builds(
        Over,
        st.sampled_from(RunState),
        st.sampled_from(RunState),
        is_script=st.booleans(),
        is_deleted=st.booleans(),
        left_there=st.integers(0, 3),
        has_doubts=st.booleans(),
        is_worked_on=st.booleans(),
    ),
    st.sampled_from(["exited", "stillborn", "lost-killed", "running", "elsewhere"]),
)
def test_no_result_that_is_only_there_ever_goes(over: Over, state: str) -> None:
    found = judged(ATTEMPT, Known({("run1", 1): over}), state=state)
    if found.goes:
        assert over.left_there == 0
        assert over.state.is_finished
        assert over.state is not RunState.LOST
        assert state not in {"running", "elsewhere"}
        assert over.is_deleted or over.run_status is RunState.SUCCEEDED
