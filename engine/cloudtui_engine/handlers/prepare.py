"""`instance.prepare`: a host gets its python before a job needs it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import AuthError, HostKeyError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.handlers.environment import INDEX, Environments
from cloudtui_engine.hosts import transfer
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation

PATIENCE_S = 600.0


def prepare(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Have a python there that can do every job, the GPU's where there is one.

    Returns:
        `{"instance", "python", "warnings"}`.
    """
    instance = context.catalog.instances.get(operation.target)
    link = context.links.to(instance.id)
    say = context.reporter(operation)
    deadline = time.monotonic() + PATIENCE_S

    def report(text: str, done: int | None = None, total: int | None = None) -> None:
        nonlocal deadline
        # As long as the host answers it is given time.
        deadline = time.monotonic() + PATIENCE_S
        say(text, done, total)

    warnings: list[str] = []
    _set_index(context, instance, str(operation.args.get("index") or ""))
    environments = Environments(
        context, link, report=report, cancelled=context.closing.is_set, warn=warnings.append
    )
    while True:
        try:
            with link.session(30.0) as session:
                python = environments.python_for(session, "export", best=True)
                return {"instance": instance.id, "python": python, "warnings": warnings}
        except transfer.Cancelled:
            raise Withdrawn from None
        except PassphraseError as error:
            raise passphrase_question(error, instance.id) from None
        except (HostKeyError, AuthError):
            raise
        except UnreachableError as error:
            if time.monotonic() > deadline:
                raise
            say(f"Waiting for {instance.name}: {error.message}", None, None)
            context.closing.wait(0.5)


def _set_index(context: Context, instance: Instance, index: str) -> None:
    """Keep one more package index, for all hosts with the same kind of torch."""
    if index:
        accelerator = "cuda" if instance.facts.get("gpus") else "cpu"
        known = context.catalog.settings.get(INDEX, {})
        context.catalog.settings.set(INDEX, {**known, accelerator: index})
