"""`run.stop`: the end of an attempt, wherever it is on its way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import UnreachableError
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import RunState

POLL_S = 0.05
GRACE_S = 30


def stop(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Before the host knows of it the attempt just ends; later the host is told, once it can be reached."""
    runs = context.catalog.runs
    run_id, number = operation.target, int(operation.args["attempt"])
    report = context.reporter(operation)
    while not context.is_cancelled(operation):
        state = runs.attempt(run_id, number).state
        if state.is_finished:
            return {"state": str(state)}
        if state in {RunState.QUEUED, RunState.STAGING}:
            if runs.move(
                run_id,
                number,
                RunState.STOPPED,
                expected=(state,),
                ended_at=time.time(),
                reason="Stopped before it began.",
            ):
                return {"state": "stopped"}
            continue
        if state is RunState.STARTING and not _is_known_to_host(context, run_id, number):
            time.sleep(POLL_S)
            continue
        if _tell_host(context, run_id, number, report):
            return {"state": "stopping"}
    return {"state": "cancelled"}


def _is_known_to_host(context: Context, run_id: str, number: int) -> bool:
    """Whether the start has been answered: the start operation of this attempt is over."""
    return all(
        operation.kind != "run.start" or int(operation.args["attempt"]) != number
        for operation in context.catalog.operations.open_for(run_id)
    )


def _tell_host(context: Context, run_id: str, number: int, report: Any) -> bool:
    attempt = context.catalog.runs.attempt(run_id, number)
    try:
        with context.links.to(attempt.instance_id).session(20.0) as session:
            session.request("stop", {"job": run_id, "attempt": number, "grace_s": GRACE_S}, timeout=15.0)
    except UnreachableError as error:
        report(f"The host will be told when it can be reached. {error.message}", None, None)
        time.sleep(1.0)
        return False
    context.catalog.runs.move(
        run_id, number, RunState.STOPPING, expected=(RunState.STARTING, RunState.RUNNING)
    )
    return True
