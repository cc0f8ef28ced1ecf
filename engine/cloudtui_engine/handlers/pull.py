"""`run.pull`: what an attempt left on its host, brought here, verified, kept by content."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import AuthError, FailedError, HostKeyError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.hosts import transfer
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Artifact

PATIENCE_S = 1800.0


def pull(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Fetch every artifact that is not here yet; what came before a cut is not fetched again."""
    run_id, number = operation.target, int(operation.args["attempt"])
    link = context.links.to(context.catalog.runs.attempt(run_id, number).instance_id)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        wanted = [one for one in context.catalog.runs.artifacts(run_id, number) if one.local is None]
        wanted = [one for one in wanted if not _is_here(context, run_id, number, one)]
        if not wanted:
            return {"pulled": len(context.catalog.runs.artifacts(run_id, number))}
        try:
            with link.session(60.0):
                _fetch(context, operation, link, wanted)
        except transfer.Cancelled:
            raise Withdrawn from None
        except (HostKeyError, AuthError):
            raise
        except UnreachableError as error:
            if time.monotonic() > deadline or context.is_cancelled(operation):
                raise
            context.reporter(operation)(f"Waiting for the host: {error.message}", None, None)
            time.sleep(0.5)


def _is_here(context: Context, run_id: str, number: int, artifact: Artifact) -> bool:
    """Content that another run brought is content that is here."""
    if not context.paths.file(artifact.sha256).is_file():
        return False
    context.catalog.runs.mark_pulled(run_id, number, artifact.name)
    return True


def _fetch(context: Context, operation: Operation, link: HostLink, wanted: list[Artifact]) -> None:
    run_id, number = operation.target, int(operation.args["attempt"])
    report = context.reporter(operation)
    context.paths.files.mkdir(parents=True, exist_ok=True)
    need = sum(artifact.size_bytes for artifact in wanted)
    free = shutil.disk_usage(context.paths.files).free
    if need > free:
        raise FailedError(
            f"This disk has {free / 2**20:.0f} MiB free; {need / 2**20:.0f} MiB are to be pulled.",
            "Make room, then: cloudtui run sync",
            code="disk_full",
        )
    into = context.paths.files / f".pull-{run_id}-{number}"
    transfer.get(
        link.transport,
        root=link.root,
        base=f"jobs/{run_id}/a{number:04d}/artifacts",
        files=[transfer.RemoteFile(one.name, one.size_bytes, one.sha256) for one in wanted],
        into=into,
        on_progress=lambda done, total: report("Pulling results", done, total),
        cancelled=lambda: context.is_cancelled(operation),
    )
    for artifact in wanted:
        target = context.paths.file(artifact.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        (into / artifact.name).replace(target)
        context.catalog.runs.mark_pulled(run_id, number, artifact.name)
    shutil.rmtree(into, ignore_errors=True)
