"""How an attempt ended, from the host's judgement and the job's own last words. Pure."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.records.run import RunState
from cloudtui_engine.sanitize import clean_line

STOPPED_WITH_CHECKPOINT = 75
"""The exit status of a job that was asked to stop and saved itself (EX_TEMPFAIL)."""

ENDED = frozenset({"exited", "stillborn", "lost-killed", "lost-reboot", "missing"})
"""Host states after which nothing more is written."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The final state of an attempt."""

    state: RunState
    exit_code: int | None
    reason: str


def judge(status: Mapping[str, Any], done: Mapping[str, Any] | None, *, stop_requested: bool) -> Verdict:
    """The verdict on an ended attempt.

    Args:
        status: the host's attempt status, `state` one of `ENDED`.
        done: the `done` record of the job's journal, where it wrote one: its own word beats an exit status,
            since a launcher such as torchrun ends with 1 when its workers stopped cleanly.
        stop_requested: someone asked for the end.
    """
    exit_record = status.get("exit") or {}
    code = exit_record.get("code")
    code = code if isinstance(code, int) else None
    if done is not None:
        return _by_its_word(done, code)
    state = status["state"]
    if state == "exited":
        return _by_exit(exit_record, code, stop_requested=stop_requested)
    if stop_requested and state in {"lost-killed", "stillborn"}:
        return Verdict(RunState.STOPPED, code, "Stopped; it left no exit status.")
    return Verdict(RunState.LOST, code, _LOST[state])


_LOST = {
    "stillborn": "The starter died before the job began.",
    "lost-killed": "Job and supervisor were killed; no exit status was left.",
    "lost-reboot": "The host was restarted while the job ran.",
    "missing": "The host no longer has this attempt.",
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


def _by_exit(exit_record: Mapping[str, Any], code: int | None, *, stop_requested: bool) -> Verdict:
    said = clean_line(str(exit_record.get("reason") or ""))
    number = exit_record.get("signal")
    if code == 0:
        return Verdict(RunState.SUCCEEDED, 0, "")
    if stop_requested or code == STOPPED_WITH_CHECKPOINT:
        return Verdict(RunState.STOPPED, code, said or "Stopped.")
    if isinstance(number, int) and number:
        hint = " The host may have run out of memory." if number == signal.SIGKILL else ""
        return Verdict(RunState.FAILED, code, said or f"Killed by signal {number}.{hint}")
    if code is None:
        return Verdict(RunState.LOST, None, said or "It ended; its exit status was not recorded.")
    return Verdict(RunState.FAILED, code, said or f"It exited with status {code}.")
