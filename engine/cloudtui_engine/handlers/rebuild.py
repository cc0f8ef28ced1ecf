"""`run.import`: runs that a host still holds and the catalog does not, read back from their journals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs.follow import AttemptFollower
from cloudtui_engine.sanitize import clean_line

PATIENCE_S = 600.0
POLL_S = 0.05


def rebuild(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Make rows for what is unknown and follow each attempt from its first byte.

    Returns:
        `{"runs": [ids of runs that are new here], "known": count of those that were not}`.
    """
    report = context.reporter(operation)
    link = context.links.to(operation.target)
    fresh: list[str] = []
    known = 0
    with link.session(30.0) as session:
        jobs = list(_jobs(session))
        for number, job in enumerate(jobs):
            report("Reading runs", number, len(jobs))
            if _is_known(context, job["job"]):
                known += 1
                continue
            if _import(context, operation, job):
                fresh.append(job["job"])
    return {"runs": fresh, "known": known}


def _jobs(session: Session) -> Iterator[Mapping[str, Any]]:
    """All jobs that the host holds, page by page."""
    after = ""
    while True:
        page = session.request("jobs", {"after": after}, timeout=60.0)
        for job in page.get("jobs") or ():
            if isinstance(job, dict) and isinstance(job.get("job"), str):
                yield job
        following = page.get("next")
        if not isinstance(following, str) or following <= after:
            return
        after = following


def _is_known(context: Context, run_id: str) -> bool:
    try:
        return context.catalog.runs.get(run_id).id == run_id
    except NotFoundError:
        return False


def _import(context: Context, operation: Operation, job: Mapping[str, Any]) -> bool:
    attempts = sorted(job.get("attempts") or (), key=lambda one: int(one["attempt"]))
    if not attempts:
        return False
    about = (attempts[0].get("spec") or {}).get("about")
    if not isinstance(about, dict):
        return False
    run_id = str(job["job"])
    link = context.links.to(operation.target)
    context.catalog.runs.create(_run(context, run_id, about), [operation.target])
    for position, one in enumerate(attempts):
        number = int(one["attempt"])
        if position:
            number = context.catalog.runs.add_attempt(run_id, [operation.target], _created(about)).number
        _to_host(context, run_id, number, about)
        link.follow(AttemptFollower(context.catalog, context.catalog.runs.attempt(run_id, number)))
        is_last = position == len(attempts) - 1
        if not is_last or one["status"]["state"] not in {"starting", "running", "orphan-running"}:
            _wait_for_end(context, operation, run_id, number)
    return True


def _to_host(context: Context, run_id: str, number: int, about: Mapping[str, Any]) -> None:
    """The rows walk the way that the attempt went."""
    move = context.catalog.runs.move
    move(run_id, number, RunState.STAGING, expected=(RunState.QUEUED,))
    move(run_id, number, RunState.STARTING, expected=(RunState.STAGING,), started_at=_created(about))


def _run(context: Context, run_id: str, about: Mapping[str, Any]) -> Run:
    dataset = about.get("dataset") if isinstance(about.get("dataset"), dict) else None
    here = context.catalog.datasets.by_sha(str(dataset["sha256"])) if dataset else None
    params = about.get("params")
    spec = about.get("spec")
    return Run(
        id=run_id,
        name=clean_line(str(about.get("name") or run_id), 100),
        kind="script" if about.get("kind") == "script" else "train",
        status=RunState.QUEUED,
        attempt=1,
        instances=(),
        dataset=clean_line(str(dataset["name"]), 100) if dataset else None,
        dataset_id=here.id if here else None,
        task=_text(about.get("task")),
        model=_text(about.get("model")),
        params=params if isinstance(params, dict) else {},
        spec=(spec if isinstance(spec, dict) else {}) | {"about": dict(about)},
        created_at=_created(about),
        note=clean_line(str(about.get("note") or ""), 2000),
    )


def _created(about: Mapping[str, Any]) -> float:
    value = about.get("created_at")
    return float(value) if isinstance(value, int | float) else time.time()


def _text(value: object) -> str | None:
    return clean_line(value, 100) if isinstance(value, str) else None


def _wait_for_end(context: Context, operation: Operation, run_id: str, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and not context.is_cancelled(operation):
        if context.catalog.runs.attempt(run_id, number).state.is_finished:
            return
        time.sleep(POLL_S)
