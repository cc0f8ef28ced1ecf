"""`run.stop`: the end of an attempt, wherever it is on its way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import AuthError, HostKeyError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import RunState

POLL_S = 0.05
RETRY_S = 1.0
REFUSED_RETRY_S = 60.0
GRACE_S = 30


def stop(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Before the host knows of it the attempt just ends; later the host is told, once it can be reached."""
    runs = context.catalog.runs
    run_id, number = operation.target, int(operation.args["attempt"])
    report = context.reporter(operation)
    while not context.closing.is_set():
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
                _withdraw_start(context, run_id)
                return {"state": "stopped"}
            continue
        if state is RunState.STARTING and not _is_known_to_host(context, run_id, number):
            time.sleep(POLL_S)
            continue
        if _tell_host(context, run_id, number, report):
            return {"state": "stopping"}
    raise Withdrawn


def _withdraw_start(context: Context, run_id: str) -> None:
    """What still waits for its turn or for an answer is for nothing now."""
    for operation in context.catalog.operations.open_for(run_id):
        if operation.kind == "run.start":
            context.catalog.operations.cancel(operation.id)


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
    except PassphraseError as error:
        raise passphrase_question(error, attempt.instance_id) from None
    except (HostKeyError, AuthError) as error:
        # Only a person can mend that; asked too often a host bans whoever knocks.
        report(f"The host will be told when it has us again. {error.message}", None, None)
        context.closing.wait(REFUSED_RETRY_S)
        return False
    except UnreachableError as error:
        report(f"The host will be told when it can be reached. {error.message}", None, None)
        context.closing.wait(RETRY_S)
        return False
    context.catalog.runs.move(
        run_id, number, RunState.STOPPING, expected=(RunState.STARTING, RunState.RUNNING)
    )
    return True
