"""What a person does with runs that are over, or that nobody can end: rows and operations, as commands do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import ON_HOST, Run, RunState

GIVEN_UP = "Given up: its machine is gone, somebody said."


def pull(catalog: Catalog, run: Run, names: Sequence[str] = ()) -> list[Operation]:
    """Bring files here that were left on the host: those named, or all; an operation an attempt.

    What was here once and is gone from this disk is fetched again, too.

    Raises:
        RefusedError: the run is live.
        NotFoundError: it has no file of that name.
    """
    if not run.status.is_finished:
        raise RefusedError(
            f"{run.name} is {run.status}.", "Its files are fetched when it has ended.", code="live"
        )
    there = {artifact.name for artifact in run.artifacts}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise NotFoundError(
            f"{run.name} left no file {unknown[0]!r}.", f"See what it left: cloudtui run show {run.id}"
        )
    wanted = set(names) or there
    submitted = []
    with catalog.write("run", "operation"):
        for attempt in catalog.runs.attempts(run.id):
            files = catalog.runs.artifacts(run.id, attempt.number)
            chosen = [one for one in files if one.name in wanted]
            gone = [one.name for one in chosen if one.local is not None and not Path(one.local).is_file()]
            missing = [one.name for one in chosen if one.local is None] + gone
            if gone:
                catalog.runs.mark_gone(run.id, attempt.number, gone)
            if missing:
                catalog.runs.want(run.id, attempt.number, missing)
                key = f"run.pull:{run.id}:{attempt.number}:{new_id()}"
                args = {"attempt": attempt.number}
                submitted.append(catalog.operations.submit("run.pull", run.id, args, key))
    return submitted


def abandon(catalog: Catalog, run: Run) -> None:
    """Take a run's machine for gone: its attempt is lost, until that machine proves otherwise.

    Raises:
        RefusedError: it has ended, or is not on a machine yet.
    """
    reason = f"{GIVEN_UP} Where it comes back: cloudtui run import --from {' '.join(run.instances)}"
    if run.status in ON_HOST and catalog.runs.move(
        run.id, run.attempt, RunState.LOST, expected=ON_HOST, ended_at=time.time(), reason=reason
    ):
        for asked in catalog.operations.open_for(run.id):
            if asked.kind == "run.stop":  # there is nobody left to tell
                catalog.operations.withdraw(asked.id)
        return
    if run.status.is_finished:
        raise RefusedError(
            f"{run.name} is over: it is {run.status}.", "There is nothing to give up.", code="not_live"
        )
    raise RefusedError(
        f"{run.name} is {run.status}: it is not on a machine yet.", f"Stop it: cloudtui run stop {run.id}",
        code="not_there",
    )  # fmt: skip
