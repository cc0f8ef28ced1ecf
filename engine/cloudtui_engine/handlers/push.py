"""`dataset.push`: a dataset version onto a host, before a run needs it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.handlers import stage
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.reaching import insisting
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.operation import Operation


def push(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Upload what is missing, over as many links as it takes; noted once the host has verified it."""
    dataset = context.catalog.datasets.get(operation.target)
    instance = context.catalog.instances.get(str(operation.args["instance"]))
    link = context.links.to(instance.id)

    def work(_session: Session, report: stage.Report) -> str:
        carrier = stage.Carrier(context.paths, link, report, context.closing.is_set)
        return carrier.dataset(dataset, instance.name)

    insisting(context, instance, context.reporter(operation), work)
    context.catalog.datasets.add_copy(dataset.id, instance.id, time.time())
    return {"dataset": dataset.id, "instance": instance.id}
