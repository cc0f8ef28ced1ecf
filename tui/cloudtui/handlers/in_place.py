"""Data that is read where it lies on a machine: a job there, waited for; ctrl-c leaves it running."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtui.handlers import instance as instances
from cloudtui.handlers.follow import follow_run, wait_for, wait_for_files
from cloudtui.handlers.session import Session
from cloudtui_engine.data import Wishes, check_name
from cloudtui_engine.errors import CloudtuiError, FailedError, NotFoundError, UsageError, from_dict
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import LOCAL, Instance
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.records.run import Run, RunState

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_PLACE = re.compile(r"(?P<machine>[A-Za-z0-9][A-Za-z0-9._-]*):(?P<path>(?!//).+)", re.DOTALL)
_CODES = frozenset({"usage", "not_found", "bad_input", "failed"})
"""What the job's own words may make of a command's exit status."""


def place_of(session: Session, source: str) -> tuple[Instance, str] | None:
    """The machine and the path that a source names; None where it is one of this machine.

    A file of that name goes before; `local:/path` is this machine.

    Raises:
        NotFoundError: it looks like a path on a machine, and there is no such machine.
        UsageError: the path on the machine begins nowhere.
    """
    match = _PLACE.fullmatch(source)
    if match is None or _is_file(source):
        return None
    machine, path = match["machine"], match["path"]
    known = {one.name: one for one in session.catalog.instances.list()}
    if machine not in known and machine != LOCAL:
        if path[0] not in "/~":
            return None
        raise NotFoundError(
            f"There is no machine called {machine}, and no file called {source}.",
            f"Machines: {', '.join(sorted({*known, LOCAL}))}.",
        )
    if path[0] not in "/~" or "\n" in path or "\0" in path:
        raise UsageError(
            f"Where on {machine} is {path!r}?", f"Give a whole path: {machine}:/data/x or {machine}:~/x"
        )
    return instances.find(session, machine), path


def add(session: Session, name: str, instance: Instance, path: str, wishes: Wishes) -> Dataset | Run:
    """Make a version of what lies on a machine, there; the desktop gets the job and does not wait.

    Raises:
        CloudtuiError: the machine is out of reach, or the source cannot be used.
    """
    from cloudtui_engine.runs import preparing

    check_name(name)
    run = preparing.start_preparing(
        session.catalog, name=name, source=path, instance=instance, wishes=dataclasses.asdict(wishes)
    )
    session.ensure_engine()
    if not session.wait:
        return session.catalog.runs.get(run.id)
    run = follow_run(session, run)
    if run.status is RunState.SUCCEEDED:
        wait_for_files(session, run)
    wait_for(session, run, lambda: outcome(session.catalog, run.id) is not None)
    found = outcome(session.catalog, run.id)
    if isinstance(found, CloudtuiError):
        raise found
    return session.catalog.runs.get(run.id) if found is None else found


def outcome(catalog: Catalog, run_id: str) -> Dataset | CloudtuiError | None:
    """What came of a preparation: the version, or why there is none; None while it is under way."""
    run = catalog.runs.get(run_id)
    if not run.status.is_finished:
        return None
    if run.status is not RunState.SUCCEEDED:
        return None if _of(catalog, run, "run.start", is_over=False) else _why(catalog, run)
    if _of(catalog, run, "run.pull", is_over=False):
        return None
    is_to_come = any(one.wanted and one.local is None for one in run.artifacts)
    if is_to_come and not _of(catalog, run, "run.pull", is_over=True):
        return None
    return _adopted(catalog, run)


def _adopted(catalog: Catalog, run: Run) -> Dataset | CloudtuiError:
    """The version whose manifest was found good."""
    pulls = _of(catalog, run, "run.pull", is_over=True)
    if pulls and pulls[0].state is OperationState.FAILED:
        return from_dict(pulls[0].error)
    made = str(pulls[0].result.get("dataset") or "") if pulls else ""
    if made:
        return catalog.datasets.get(made)
    return FailedError(
        f"{run.name} left no manifest that could be brought here.",
        f"Its log says more: cloudtui run logs {run.id}",
        code="no_manifest",
    )


def _why(catalog: Catalog, run: Run) -> CloudtuiError:
    """The job's own error where it told one, else that of bringing it there."""
    told = [one for one in catalog.events.list(run.id) if one.name == "failed"]
    if run.status is RunState.FAILED and told:
        said = {key: str(told[-1].data.get(key) or "") for key in ("code", "message", "hint")}
        if said["message"]:
            return from_dict({**said, "code": said["code"] if said["code"] in _CODES else "failed"})
    started = _of(catalog, run, "run.start", is_over=True)
    if started and started[0].state is OperationState.FAILED:
        return from_dict(started[0].error)
    ended = "was stopped" if run.status is RunState.STOPPED else run.status
    return FailedError(
        f"{run.name} {ended}: {run.reason or 'it does not say why.'}",
        f"Go on with: cloudtui run resume {run.id}; its log: cloudtui run logs {run.id}",
        code=str(run.status),
    )


def _of(catalog: Catalog, run: Run, kind: str, *, is_over: bool) -> list[Operation]:
    """Operations on the run, the newest first."""
    return [
        one
        for one in catalog.operations.list(200)
        if one.target == run.id and one.kind == kind and one.state.is_finished == is_over
    ]


def _is_file(source: str) -> bool:
    try:
        return Path(source).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
