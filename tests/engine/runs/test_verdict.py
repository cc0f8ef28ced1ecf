"""How an attempt ended is told from what is left of it."""

from __future__ import annotations

import pytest

from cloudtui_engine.records.host_status import HostStatus
from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs.verdict import judge


def exited(code: int | None, signal: int | None = None, reason: str = "") -> HostStatus:
    return HostStatus("exited", code, signal, reason)


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
        (HostStatus("exited", None, 15, stopped=True), None, False, RunState.STOPPED),
        (HostStatus("lost-killed"), None, False, RunState.LOST),
        (HostStatus("lost-killed"), {"reason": "completed"}, False, RunState.SUCCEEDED),
        (HostStatus("lost-killed"), None, True, RunState.STOPPED),
        (HostStatus("lost-reboot"), None, True, RunState.LOST),
        (HostStatus("missing"), None, False, RunState.LOST),
        (HostStatus("stillborn"), None, False, RunState.LOST),
    ],
)
def test_verdict(status: HostStatus, done: dict[str, object] | None, asked: bool, state: RunState) -> None:
    assert judge(status, done, stop_requested=asked).state is state


def test_a_kill_without_our_asking_points_at_memory() -> None:
    assert "memory" in judge(exited(None, 9), None, stop_requested=False).reason


def test_what_the_host_says_is_cleaned() -> None:
    verdict = judge(exited(3, reason="\x1b]0;owned\x07bad\x1b[31m news"), None, stop_requested=False)
    assert verdict.reason == "bad news"
