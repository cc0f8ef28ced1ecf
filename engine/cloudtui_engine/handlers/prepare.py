"""`instance.prepare`: a host gets its python before a job needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.environment import INDEX, Environments
from cloudtui_engine.handlers.reaching import insisting
from cloudtui_engine.handlers.stage import Report
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation


def prepare(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Have a python there that can do every job, the GPU's where there is one.

    Returns:
        `{"instance", "python", "warnings"}`.
    """
    instance = context.catalog.instances.get(operation.target)
    link = context.links.to(instance.id)
    warnings: list[str] = []
    _set_index(context, instance, str(operation.args.get("index") or ""))

    def work(session: Session, report: Report) -> str:
        environments = Environments(
            context, link, report=report, cancelled=context.closing.is_set, warn=warnings.append
        )
        return environments.python_for(session, "export", best=True)

    python = insisting(context, instance, context.reporter(operation), work)
    return {"instance": instance.id, "python": python, "warnings": warnings}


def _set_index(context: Context, instance: Instance, index: str) -> None:
    """Keep one more package index, for all hosts with the same kind of torch."""
    if index:
        accelerator = "cuda" if instance.facts.get("gpus") else "cpu"
        known = context.catalog.settings.get(INDEX, {})
        context.catalog.settings.set(INDEX, {**known, accelerator: index})
