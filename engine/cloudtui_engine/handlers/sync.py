"""`run.sync`: every host with something of ours is read up to its last word, once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import CloudtuiError, LinkTimeoutError
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.hosts.followers import Key
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Attempt
from cloudtui_engine.runs.follow import AttemptFollower, is_on_its_own

LINK_PATIENCE_S = 20.0
READ_PATIENCE_S = 600.0
POLL_S = 0.05
CONFIRMATIONS = 2
"""One may have been under way when we asked; the second was asked for after."""


def sync(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Catch up with all hosts; the result says for each `caught up` or why not. Failed pulls are retried."""
    hosts: dict[str, list[Attempt]] = {}
    for attempt in context.catalog.runs.open_attempts():
        if is_on_its_own(context.catalog, attempt):
            hosts.setdefault(attempt.instance_id, []).append(attempt)
    report = context.reporter(operation)
    outcome: dict[str, str] = {}
    for number, (instance_id, attempts) in enumerate(sorted(hosts.items())):
        name = context.catalog.instances.get(instance_id).name
        report(f"Catching up with {name}", number, len(hosts))
        try:
            _catch_up(context, instance_id, attempts)
            outcome[name] = "caught up"
        except CloudtuiError as error:
            outcome[name] = error.message
    for run_id, attempt_number in context.catalog.runs.unpulled():
        key = f"run.pull:{run_id}:{attempt_number}:{operation.id}"
        context.catalog.operations.submit("run.pull", run_id, {"attempt": attempt_number}, key)
    return {"hosts": outcome}


def _catch_up(context: Context, instance_id: str, attempts: list[Attempt]) -> None:
    link = context.links.to(instance_id)
    with link.session(LINK_PATIENCE_S):
        for attempt in attempts:
            link.follow(AttemptFollower(context.catalog, attempt))
        before = link.confirmations() or {}
        deadline = time.monotonic() + READ_PATIENCE_S
        for attempt in attempts:
            key = (attempt.run_id, attempt.number)
            wanted = before.get(key, 0) + CONFIRMATIONS
            while not _is_read(context, link, key, wanted):
                if time.monotonic() > deadline:
                    raise LinkTimeoutError(
                        f"It was not read up to its end in {READ_PATIENCE_S:.0f} s.", "Try again."
                    )
                link.hurry()
                if context.closing.wait(POLL_S):
                    raise Withdrawn


def _is_read(context: Context, link: HostLink, key: Key, wanted: int) -> bool:
    now = link.confirmations()
    if now is not None and now.get(key, 0) >= wanted:
        return True
    return context.catalog.runs.attempt(*key).state.is_finished
