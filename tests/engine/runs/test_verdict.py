"""How an attempt ended is told from what is left of it."""

from __future__ import annotations

import pytest

from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs.verdict import judge


def exited(code: int | None, signal: int = 0, reason: str = "") -> dict[str, object]:
    return {"state": "exited", "exit": {"code": code, "signal": signal, "reason": reason}}


@pytest.mark.parametrize(
    ("status", "done", "asked", "state"),
    [
        (exited(0), None, False, RunState.SUCCEEDED),
        (exited(1), None, False, RunState.FAILED),
        (exited(75), None, False, RunState.STOPPED),
        (exited(1), None, True, RunState.STOPPED),
        (exited(None, 9), None, False, RunState.FAILED),
        (exited(None), None, False, RunState.LOST),
        # The job's own word beats the status of whatever launched it.
        (exited(1), {"reason": "stopped"}, False, RunState.STOPPED),
        (exited(1), {"reason": "completed"}, True, RunState.SUCCEEDED),
        (exited(0), {"reason": "failed", "message": "NaN"}, False, RunState.FAILED),
        ({"state": "lost-killed"}, None, False, RunState.LOST),
        ({"state": "lost-killed"}, {"reason": "completed"}, False, RunState.SUCCEEDED),
        ({"state": "lost-killed"}, None, True, RunState.STOPPED),
        ({"state": "lost-reboot"}, None, True, RunState.LOST),
        ({"state": "missing"}, None, False, RunState.LOST),
        ({"state": "stillborn"}, None, False, RunState.LOST),
    ],
)
def test_verdict(
    status: dict[str, object], done: dict[str, object] | None, asked: bool, state: RunState
) -> None:
    assert judge(status, done, stop_requested=asked).state is state


def test_a_kill_without_our_asking_points_at_memory() -> None:
    assert "memory" in judge(exited(None, 9), None, stop_requested=False).reason


def test_what_the_host_says_is_cleaned() -> None:
    verdict = judge(exited(3, reason="\x1b]0;owned\x07bad\x1b[31m news"), None, stop_requested=False)
    assert verdict.reason == "bad news"
