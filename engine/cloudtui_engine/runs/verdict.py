"""How an attempt ended, from the host's judgement and the job's own last words. Pure."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.records.host_status import HostStatus
from cloudtui_engine.records.run import RunState
from cloudtui_engine.sanitize import clean_line

STOPPED_WITH_CHECKPOINT = 75
"""The exit status of a job that was asked to stop and saved itself (EX_TEMPFAIL)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The final state of an attempt."""

    state: RunState
    exit_code: int | None
    reason: str


def judge(status: HostStatus, done: Mapping[str, Any] | None, *, stop_requested: bool) -> Verdict:
    """The verdict on an ended attempt.

    Args:
        status: the host's word; it has ended.
        done: the `done` record of the job's journal, where it wrote one: its own word beats an exit status,
            since a launcher such as torchrun ends with 1 when its workers stopped cleanly.
        stop_requested: someone asked for the end.
    """
    if done is not None:
        return _by_its_word(done, status.code)
    if status.state == "exited":
        return _by_exit(status, stop_requested=stop_requested)
    if stop_requested and status.state in {"lost-killed", "stillborn"}:
        return Verdict(RunState.STOPPED, status.code, "Stopped; it left no exit status.")
    return Verdict(RunState.LOST, status.code, _LOST[status.state])


_LOST = {
    "stillborn": "The starter died before the job began.",
    "lost-killed": "Job and supervisor were killed; no exit status was left.",
    "lost-reboot": "The host was restarted while the job ran.",
    "missing": "The host has no such attempt: its start did not get there, or its folder was removed.",
}


def _by_its_word(done: Mapping[str, Any], code: int | None) -> Verdict:
    message = clean_line(str(done.get("message") or ""))
    match done.get("reason"):
        case "completed":
            return Verdict(RunState.SUCCEEDED, code, message)
        case "stopped":
            return Verdict(RunState.STOPPED, code, message or "Stopped with a checkpoint.")
        case _:
            return Verdict(RunState.FAILED, code, message or "The job said that it failed.")


def _by_exit(status: HostStatus, *, stop_requested: bool) -> Verdict:
    code, said = status.code, clean_line(status.reason)
    if code == 0:
        return Verdict(RunState.SUCCEEDED, 0, "")
    if stop_requested or status.stopped or code == STOPPED_WITH_CHECKPOINT:
        return Verdict(RunState.STOPPED, code, said or "Stopped.")
    if status.signal:
        hint = " The host may have run out of memory." if status.signal == signal.SIGKILL else ""
        return Verdict(RunState.FAILED, code, said or f"Killed by signal {status.signal}.{hint}")
    if code is None:
        return Verdict(RunState.LOST, None, said or "It ended; its exit status was not recorded.")
    return Verdict(RunState.FAILED, code, said or f"It exited with status {code}.")
