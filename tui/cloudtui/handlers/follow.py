"""Waiting for a run and for its files, with progress; ctrl-c leaves the work running."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cloudtui import format as words
from cloudtui.handlers.session import ENGINE_CHECK_S, LeftRunning, Session
from cloudtui_engine.errors import RefusedError, UsageError, from_dict
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.records.run import Run, RunState

POLL_S = 0.1
REFUSAL_S = 8.0
"""How long a host may take to refuse a run for its GPUs before the command returns."""
SETTLE_S = 3.0
PULL_GRACE_S = 30.0
"""How long after its end a run's files may take to begin to arrive."""


def follow_run(session: Session, run: Run) -> Run:
    """The run when it is over; shows how far it is meanwhile.

    Raises:
        LeftRunning: ctrl-c; the run goes on.
    """
    seen: list[str] = []

    def over() -> bool:
        now = session.catalog.runs.get(run.id)
        text = progress_line(now)
        if seen[-1:] != [text]:
            seen[:] = [text]
            session.on_progress(text, words.run_share(now))
        _answer_questions(session, run)
        return now.status.is_finished

    wait_for(session, run, over)
    _raise_refusal(session, run)
    return session.catalog.runs.get(run.id)


def not_refused(session: Session, run: Run) -> Run:
    """The run as it is; where its host has GPUs, once the host has let it in or refused it.

    Raises:
        CloudtuiError: the host refused it.
    """
    machines = [session.catalog.instances.find(name) for name in run.instances]
    if run.spec.get("gpus") and any(machine.gpus for machine in machines):
        deadline = time.monotonic() + REFUSAL_S
        waiting = {RunState.QUEUED, RunState.STAGING}
        while session.catalog.runs.get(run.id).status in waiting and time.monotonic() < deadline:
            time.sleep(POLL_S)
    _raise_refusal(session, run)
    return session.catalog.runs.get(run.id)


def deliver(session: Session, run: Run, secrets: Mapping[str, str]) -> None:
    """Hand secrets to the engine; where it has asked for them meanwhile, that is answered."""
    from cloudtui_engine import operations

    operations.send_secrets(session.paths, run.id, secrets)
    deadline = time.monotonic() + REFUSAL_S
    while session.catalog.runs.get(run.id).status is RunState.QUEUED and time.monotonic() < deadline:
        asking = [
            one
            for one in session.catalog.operations.open_for(run.id)
            if one.state is OperationState.NEEDS_YOU
        ]
        for operation in asking:
            operations.answer(session.catalog, operation.id, {"sent": True})
        if asking:
            return
        time.sleep(POLL_S)


def _raise_refusal(session: Session, run: Run) -> None:
    """A start that the host refused is the command's own failure, with its own exit status."""
    now = session.catalog.runs.get(run.id)
    if now.status is not RunState.FAILED or now.exit_code is not None:
        return
    # The row of the run is written a moment before the operation says why.
    deadline = time.monotonic() + SETTLE_S
    while any(one.kind == "run.start" for one in session.catalog.operations.open_for(run.id)):
        if time.monotonic() > deadline:
            return
        time.sleep(POLL_S)
    started = [one for one in _operations_of(session, run) if one.kind == "run.start"]
    if started and started[0].state is OperationState.FAILED:
        error = from_dict(started[0].error)
        if error.exit_status in {UsageError.exit_status, RefusedError.exit_status}:
            raise error


def wait_for_files(session: Session, run: Run, grace: float = PULL_GRACE_S) -> Run:
    """The run when its files are here, or when nothing more comes.

    Raises:
        CloudtuiError: fetching them failed; says why.
    """
    began = time.monotonic()

    def here() -> bool:
        now = session.catalog.runs.get(run.id)
        missing = [one for one in now.artifacts if one.local is None and one.wanted]
        if now.artifacts and not missing:
            return True
        pulls = [one for one in session.catalog.operations.open_for(run.id) if one.kind == "run.pull"]
        if not pulls and time.monotonic() - began > grace:
            return True
        if missing:
            session.on_progress(f"Fetching {len(missing)} files of {now.name}", None)
        return False

    wait_for(session, run, here)
    return session.catalog.runs.get(run.id)


def progress_line(run: Run) -> str:
    """`demo-1 · ● running · 3/12 · loss 0.4312 · 4m 40s left`, as far as it is known."""
    parts = [run.name, str(words.RUN_MARKS[run.status])]
    if words.run_progress(run) != words.MISSING:
        parts.append(words.run_progress(run))
    for key in ("train/loss", "loss", "validation/accuracy"):
        if key in run.metrics:
            parts.append(f"{key.removeprefix('train/')} {words.number(run.metrics[key].last)}")
    doing = run.progress.get("text")
    if isinstance(doing, str) and not run.status.is_finished:
        parts.append(doing)
    left = run.progress.get("eta_s")
    if isinstance(left, int | float) and not run.status.is_finished:
        parts.append(f"{words.duration(left)} left")
    return " · ".join(parts)


def wait_for(session: Session, run: Run, done: Callable[[], bool]) -> None:
    """Return once it is done; an engine is at work meanwhile.

    Raises:
        LeftRunning: ctrl-c; the run goes on.
    """
    version = -1
    checked = looked = time.monotonic()
    try:
        while True:
            now = time.monotonic()
            changed = session.catalog.data_version()
            if changed != version or now - looked > 1.0:
                version, looked = changed, now
                if done():
                    return
            if now - checked > ENGINE_CHECK_S:
                checked = now
                session.ensure_engine()
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        raise LeftRunning(
            f"Stopped waiting; {run.name} goes on.",
            f"Come back with: cloudtui run logs {run.id} -f, or end it: cloudtui run stop {run.id}",
        ) from None


def _answer_questions(session: Session, run: Run) -> None:
    """A run that waits for an answer is asked about here, where someone waits for it."""
    for operation in session.catalog.operations.open_for(run.id):
        if operation.state is OperationState.NEEDS_YOU:
            session.answer(operation)


def why_it_failed(session: Session, run: Run) -> str:
    """One line: the run's reason, else the newest failed operation's."""
    if run.reason:
        return run.reason
    failed = [one for one in _operations_of(session, run) if one.state is OperationState.FAILED and one.error]
    return str(from_dict(failed[0].error)) if failed else "It does not say why."


def _operations_of(session: Session, run: Run) -> list[Operation]:
    return [one for one in session.catalog.operations.list(200) if one.target == run.id]
