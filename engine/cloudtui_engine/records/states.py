"""How an attempt may change: the one table that says so.

Finished is final, but for `lost`: a host that comes back brings its journal, and with it the proof of what
happened.
"""

from __future__ import annotations

from cloudtui_engine.records.run import RunState as S

TRANSITIONS: dict[S, frozenset[S]] = {
    S.QUEUED: frozenset({S.STAGING, S.STOPPED, S.FAILED, S.LOST}),
    S.STAGING: frozenset({S.STARTING, S.STOPPING, S.STOPPED, S.FAILED}),
    S.STARTING: frozenset({S.RUNNING, S.STOPPING, S.SUCCEEDED, S.FAILED, S.STOPPED, S.LOST}),
    S.RUNNING: frozenset({S.STOPPING, S.SUCCEEDED, S.FAILED, S.STOPPED, S.LOST}),
    S.STOPPING: frozenset({S.STOPPED, S.SUCCEEDED, S.FAILED, S.LOST}),
    S.LOST: frozenset({S.RUNNING, S.SUCCEEDED, S.FAILED, S.STOPPED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset(),
    S.STOPPED: frozenset(),
}


def can_move(a: S, b: S) -> bool:
    """An attempt in state `a` may become `b`."""
    return b in TRANSITIONS[a]
