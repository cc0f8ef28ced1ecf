"""`dataset.push`: a dataset version onto a host, before a run needs it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import AuthError, HostKeyError, UnreachableError
from cloudtui_engine.handlers import stage
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.hosts.transfer import Cancelled
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.operation import Operation

PATIENCE_S = 600.0


def push(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Upload what is missing, over as many links as it takes; noted once the host has verified it."""
    dataset = context.catalog.datasets.get(operation.target)
    instance = context.catalog.instances.get(str(operation.args["instance"]))
    link = context.links.to(instance.id)
    report = context.reporter(operation)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with link.session(30.0):
                stage.Carrier(context.paths, link, report, context.closing.is_set).dataset(
                    dataset, instance.name
                )
            break
        except Cancelled:
            raise Withdrawn from None
        except PassphraseError as error:
            raise passphrase_question(error, instance.id) from None
        except (HostKeyError, AuthError):
            raise
        except UnreachableError as error:
            if time.monotonic() > deadline:
                raise
            report(f"Waiting for {instance.name}: {error.message}", None, None)
            time.sleep(0.5)
    context.catalog.datasets.add_copy(dataset.id, instance.id, time.time())
    return {"dataset": dataset.id, "instance": instance.id}
