"""`run.import`: runs that a host still holds and the catalog does not, read back from their journals."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cloudtui_engine.errors import LinkTimeoutError, NotFoundError
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import KINDS, PULL_POLICIES, Run, RunState
from cloudtui_engine.runs import upkeep
from cloudtui_engine.runs.follow import AttemptFollower
from cloudtui_engine.sanitize import clean, clean_line

PATIENCE_S = 600.0
POLL_S = 0.05
LIVE = frozenset({"starting", "running", "orphan-running", "ending"})
_JOB = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""What may be a job's id: it becomes part of paths here."""
_TEXTS = ("python", "setup", "gpus", "split", "as", "source")


def rebuild(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Make rows for what is unknown and follow each attempt from its first byte.

    Decided attempt by attempt: an engine that goes on after another one's death adds what is missing.

    Returns:
        `{"runs": [ids of runs that are new here], "known": count of the others, "unread": [why not]}`.
    """
    report = context.reporter(operation)
    fresh: list[str] = []
    unread: list[str] = []
    known = 0
    with context.links.to(operation.target).session(30.0) as session:
        jobs = list(_jobs(session))
        for number, job in enumerate(jobs):
            report("Reading runs", number, len(jobs))
            try:
                if _Import(context, operation.target, job).run():
                    fresh.append(job["job"])
                else:
                    known += 1
            except LinkTimeoutError as error:
                # One job that cannot be read keeps no other from being read.
                unread.append(error.message)
    return {"runs": fresh, "known": known, "unread": unread}


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


class _Import:
    """One job of the host."""

    def __init__(self, context: Context, host_id: str, job: Mapping[str, Any]) -> None:
        self._context = context
        self._host_id = host_id
        self._id = str(job["job"])
        self._attempts = _in_order(job.get("attempts"))

    def run(self) -> bool:
        """Whether something was unknown; what can be read is in the catalog then."""
        about = _about(self._attempts)
        if about is None or not _JOB.fullmatch(self._id):
            return False
        fresh = False
        last = len(self._attempts) - 1
        for position, attempt in enumerate(self._attempts):
            number = int(attempt["attempt"])
            if self._is_known(number):
                if self._was_given_up(number):
                    self._follow(number)
                continue
            self._add(number, about)
            fresh = True
            if position < last or _state(attempt) not in LIVE:
                self._wait_for_end(number)
        return fresh

    def _is_known(self, number: int) -> bool:
        """Whether the attempt has a row that somebody cares for."""
        try:
            state = self._context.catalog.runs.attempt(self._id, number).state
        except NotFoundError:
            return False
        # One that never got further than its row was begun by an import that an engine died over.
        return state is not RunState.QUEUED or bool(self._context.catalog.operations.open_for(self._id))

    def _add(self, number: int, about: Mapping[str, Any]) -> None:
        runs = self._context.catalog.runs
        with self._context.catalog.write("run"):
            self._add_rows(number, about)
            # The row walks the way that the attempt went.
            runs.move(self._id, number, RunState.STAGING, expected=(RunState.QUEUED,))
            runs.move(
                self._id, number, RunState.STARTING, expected=(RunState.STAGING,), started_at=_created(about)
            )
        self._follow(number)

    def _was_given_up(self, number: int) -> bool:
        """Whether somebody took the machine for gone: here it is, with its proof of what happened."""
        attempt = self._context.catalog.runs.attempt(self._id, number)
        is_here = attempt.instance_id == self._host_id
        return is_here and attempt.state is RunState.LOST and attempt.reason.startswith(upkeep.GIVEN_UP)

    def _follow(self, number: int) -> None:
        attempt = self._context.catalog.runs.attempt(self._id, number)
        self._context.links.to(attempt.instance_id).follow(AttemptFollower(self._context.catalog, attempt))

    def _add_rows(self, number: int, about: Mapping[str, Any]) -> None:
        """Rows up to this number; those of attempts that never reached the host say so."""
        runs = self._context.catalog.runs
        for each in range(1, number + 1):
            if self._has_row(each):
                continue
            if each == 1:
                runs.create(_run(self._context, self._id, about), [self._host_id])
            else:
                runs.add_attempt(self._id, [self._host_id], _created(about))
            if each < number:
                reason = "It is not on the host."
                runs.move(
                    self._id,
                    each,
                    RunState.LOST,
                    expected=(RunState.QUEUED,),
                    reason=reason,
                    ended_at=_created(about),  # it was over before the later ones, whenever that was
                )

    def _has_row(self, number: int) -> bool:
        try:
            self._context.catalog.runs.attempt(self._id, number)
        except NotFoundError:
            return False
        return True

    def _wait_for_end(self, number: int) -> None:
        """The next attempt can have a row only once this one has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._context.catalog.runs.attempt(self._id, number).state.is_finished:
            if self._context.closing.wait(POLL_S):
                raise Withdrawn
            if time.monotonic() > deadline:
                raise LinkTimeoutError(f"Attempt {number} of {self._id} could not be read to its end.")


def _in_order(attempts: object) -> list[Mapping[str, Any]]:
    """Attempts by number. A number may be missing: an attempt that ended before it reached the host."""
    if not isinstance(attempts, list):
        return []
    numbered = [one for one in attempts if isinstance(one, dict) and type(one.get("attempt")) is int]
    return sorted(numbered, key=lambda one: int(one["attempt"]))


def _state(attempt: Mapping[str, Any]) -> object:
    status = attempt.get("status")
    return status.get("state") if isinstance(status, dict) else None


def _about(attempts: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    spec = attempts[0].get("spec") if attempts else None
    about = spec.get("about") if isinstance(spec, dict) else None
    return about if isinstance(about, dict) else None


def _run(context: Context, run_id: str, about: Mapping[str, Any]) -> Run:
    dataset = about.get("dataset")
    sha256 = str(dataset.get("sha256")) if isinstance(dataset, dict) else ""
    here = context.catalog.datasets.by_sha(sha256) if sha256 else None
    params = about.get("params")
    return Run(
        id=run_id,
        name=clean_line(str(about.get("name") or run_id), 100),
        kind=kind if (kind := about.get("kind")) in KINDS else "train",
        status=RunState.QUEUED,
        attempt=1,
        instances=(),
        dataset=clean_line(str(dataset.get("name")), 100) if isinstance(dataset, dict) else None,
        dataset_id=here.id if here else None,
        task=_text(about.get("task")),
        model=_text(about.get("model")),
        params=params if isinstance(params, dict) else {},
        spec=_spec(about.get("spec")),
        created_at=_created(about),
        note=clean_line(str(about.get("note") or ""), 2000),
        model_id=_model(context, about.get("of")),
    )


def _model(context: Context, of: object) -> str | None:
    """The model that a job acted on, where it is known here: by the run that it came from."""
    if not isinstance(of, dict):
        return None
    found = context.catalog.models.of_run(str(of.get("run")))
    return next((model.id for model in found if model.variant == (of.get("variant") or "")), None)


def _spec(found: object) -> dict[str, Any]:
    """What the host says is needed to do it again.

    Not the folder, whose file names would be read here, and not the names of secrets, whose values would be
    asked for: a host may have written there what it likes.
    """
    if not isinstance(found, dict):
        return {}
    kept: dict[str, Any] = {key: clean(found[key]) for key in _TEXTS if isinstance(found.get(key), str)}
    if found.get("pull") in PULL_POLICIES:
        kept["pull"] = found["pull"]
        if type(found.get("pull_max")) is int:
            kept["pull_max"] = found["pull_max"]
    command, env = found.get("command"), found.get("env")
    if isinstance(command, list) and all(isinstance(word, str) for word in command):
        kept["command"] = command
    if isinstance(env, dict) and all(isinstance(value, str) for value in env.values()):
        kept["env"] = env
    return kept


def _created(about: Mapping[str, Any]) -> float:
    value = about.get("created_at")
    now = time.time()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return now
    return min(now, max(0.0, float(value)))


def _text(value: object) -> str | None:
    return clean_line(value, 100) if isinstance(value, str) else None
