"""`run.pull`: what an attempt left on its host, as far as it is wanted here; a dataset's manifest is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.handlers.adopt import adopt
from cloudtui_engine.handlers.bring import bring
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.operation import Operation


def pull(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Fetch every wanted file that is not here yet.

    Raises:
        FailedError: the host does not have some of them any more; all others are here.
    """
    run_id, number = operation.target, int(operation.args["attempt"])
    bring(context, run_id, number, context.reporter(operation))
    files = context.catalog.runs.artifacts(run_id, number)
    here = sum(1 for file in files if file.local is not None)
    found = {"pulled": here, "left": len(files) - here}
    run = context.catalog.runs.get(run_id)
    dataset = adopt(context, run, number) if run.kind == "prepare" else None
    return found if dataset is None else {**found, "dataset": dataset.id}
