"""`instance.forward`: a port of a machine is here until somebody stops it, or this engine ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from cloudtui_engine.errors import NotFoundError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.hosts.forward import Forward
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.operation import Operation

LOOK_S = 0.25
FIRST_S = 60.0
"""So long a host is waited for that was not reached yet; one that was, for ever."""


def forward(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Hold it open. What an engine before this one had open has ended with it."""
    if operation.progress.get("local"):
        return {"ended": "engine"}
    instance = context.catalog.instances.get(operation.target)
    remote, local = int(operation.args["remote"]), int(operation.args["local"])
    with closing(Forward(context.links.to(instance.id), instance.name, remote, local)) as made:
        hold(context, operation, made)
    return {}


def is_over(context: Context, operation: Operation) -> bool:
    """Nobody wants it any more, or its machine is gone.

    Raises:
        Withdrawn: this engine ends.
    """
    if context.closing.is_set():
        raise Withdrawn
    try:
        machine = context.catalog.instances.get(operation.target)
        asked = context.catalog.operations.get(operation.id)
    except NotFoundError:  # the home was restored from a backup
        return True
    return asked.state.is_finished or machine.is_gone or machine.forgotten_at is not None


def hold(
    context: Context, operation: Operation, made: Forward, has_ended: Callable[[], bool] = lambda: False
) -> None:
    """Tell how it is, until it is over.

    Args:
        context: the engine.
        operation: whose progress tells it.
        made: the forward.
        has_ended: asked often: what was to be reached is no more.

    Raises:
        Asked: the key needs a passphrase. Withdrawn: this engine ends.
        HostKeyError, AuthError: it will never come about.
    """
    said: Mapping[str, Any] = {}
    begun: float | None = None if operation.progress.get("local") else time.monotonic()
    while not is_over(context, operation) and not has_ended():
        if isinstance(made.failed, PassphraseError):
            context.catalog.operations.set_progress(operation.id, {})  # it begins anew with the answer
            raise passphrase_question(made.failed, operation.target)
        if made.failed is not None:
            raise made.failed
        standing = made.standing()
        begun = None if standing.is_open else begun
        if begun is not None and time.monotonic() - begun > FIRST_S:
            raise UnreachableError(standing.why, "It was given up. Is the machine running?")
        here = f"127.0.0.1:{made.local} is port {made.remote} of {made.name}"
        now = {
            "text": here if standing.is_open else f"Waiting for {made.name}: {standing.why}",
            "state": "open" if standing.is_open else "waiting",
            "why": standing.why,
            "local": made.local,
            "remote": made.remote,
            "engine": os.getpid(),
        }
        if now != said:
            said = now
            kept = context.catalog.operations.get(operation.id).progress
            context.catalog.operations.set_progress(operation.id, {**kept, **now})
        context.closing.wait(LOOK_S)
