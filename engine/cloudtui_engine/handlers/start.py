"""`run.start`: from a queued row to a process on a host, and never two of them.

Each step may be done again: an engine that died here is followed by one that begins from the top, finds what
is there by content, and asks the host to start an attempt that it starts once.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from cloudtui_engine.errors import (
    AuthError,
    CatalogError,
    CloudtuiError,
    FailedError,
    HostKeyError,
    LinkTimeoutError,
    UnreachableError,
)
from cloudtui_engine.handlers.context import Asked, Context, Withdrawn, passphrase_question
from cloudtui_engine.handlers.packing import Packing
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transfer import Cancelled
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import ON_HOST, Attempt, RunState
from cloudtui_engine.runs import queueing
from cloudtui_engine.runs.follow import AttemptFollower

PATIENCE_S = 1800.0
"""How long a host may stay away while a job is being brought to it."""
FIRST_PATIENCE_S = 60.0
"""The same before anything was done there."""
BUSY_PATIENCE_S = 60.0
POLL_S = 0.2
MOST_STILLBORN = 5
AMBIGUOUS = frozenset({"host_failed", "timed_out", "protocol", "internal", "failed"})
"""Codes of a host that failed at answering: what was asked may have been done."""
STARTING = "Starting"
COMING = (RunState.QUEUED, RunState.STAGING, RunState.STARTING)


def start(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Bring the attempt to its host and have it followed."""
    return _Start(context, operation).run()


def give_up(context: Context, operation: Operation, error: CloudtuiError) -> None:
    """End the attempt of a start that is tried no more; one that may have begun is the host's to judge."""
    _Start(context, operation).end_here(error, is_proof=False)


class _Start:
    """One attempt on its way."""

    def __init__(self, context: Context, operation: Operation) -> None:
        self._context = context
        self._runs = context.catalog.runs
        self._run = self._runs.get(operation.target)
        self._number = int(operation.args["attempt"])
        self._host_id = self._attempt().instance_id
        self._link = context.links.to(self._host_id)
        self._say = context.reporter(operation)
        self._show = context.shower(self._run.id)
        self._deadline = 0.0
        self._sent = -1

    def run(self) -> Mapping[str, Any]:
        state = self._attempt().state
        if state in {RunState.QUEUED, RunState.STAGING}:
            self._ask_for_secrets()
            # Whoever stopped it first has won.
            if not self._move(RunState.STAGING, (RunState.QUEUED,)) and state is RunState.QUEUED:
                raise Withdrawn
        if state in COMING:
            return self._bring()
        if state in ON_HOST:
            self._follow()
        return {"state": str(state)}

    def _bring(self) -> Mapping[str, Any]:
        try:
            return self._over_links()
        except Cancelled:
            raise Withdrawn from None
        except (Asked, Withdrawn, CatalogError):
            raise
        except PassphraseError as error:
            raise passphrase_question(error, self._host_id) from None
        except CloudtuiError as error:
            self.end_here(error, is_proof=error.code not in AMBIGUOUS and not _is_silence(error))
            raise
        except Exception as error:  # whatever it was, no run may look alive that is not
            self.end_here(FailedError(f"A defect in cloudtui: {type(error).__name__}."), is_proof=False)
            raise

    def end_here(self, error: CloudtuiError, *, is_proof: bool) -> None:
        """It was not brought there. Where its start may have got through all the same, the host's word is."""
        self._fail(error, COMING if is_proof else (RunState.QUEUED, RunState.STAGING))
        if self._attempt().state is RunState.STARTING:
            self._follow()

    def _over_links(self) -> Mapping[str, Any]:
        """Stage and start, over as many links as it takes."""
        self._deadline = time.monotonic() + FIRST_PATIENCE_S
        while True:
            left = self._deadline - time.monotonic()
            try:
                with self._link.session(max(5.0, min(left, 60.0))) as session:
                    return self._over(session)
            except (HostKeyError, AuthError):
                raise
            except UnreachableError as error:
                if left <= 0 or error.code == "gone" or self._context.closing.is_set():
                    raise
                if self._is_unwanted():
                    raise Withdrawn from None
                self._report(f"Waiting for the host: {error.message}", None, None)
                time.sleep(POLL_S)

    def _over(self, session: Session) -> Mapping[str, Any]:
        packing = Packing(
            self._context,
            self._run,
            self._number,
            link=self._link,
            report=self._report,
            is_unwanted=self._is_unwanted,
        )
        spec = packing.spec(session)
        self._move(RunState.STARTING, (RunState.STAGING,), started_at=time.time())
        if self._attempt().state is not RunState.STARTING:
            raise Withdrawn
        self._report(STARTING, None, None)
        state = self._start_on_host(session, spec)
        if state == "stillborn":
            return self._next_attempt()
        self._context.secrets.drop(self._run.id)
        self._follow()
        return {"state": state}

    def _start_on_host(self, session: Session, spec: Mapping[str, Any]) -> str:
        """Ask until the host says how it stands; asking again starts nothing twice."""
        args = {"job": self._run.id, "attempt": self._number, "spec": dict(spec)}
        deadline = time.monotonic() + BUSY_PATIENCE_S
        while True:
            state = "busy"
            try:
                state = replies.text(session.request("start", args, timeout=30.0), "state")
            except CloudtuiError as error:
                # A starter that was killed has started the job or not: the next one finds out.
                if error.code != "host_failed" or time.monotonic() > deadline:
                    raise
            if state != "busy":
                return state
            if time.monotonic() > deadline:
                raise LinkTimeoutError("Another starter holds this job on the host.", "It is tried again.")
            time.sleep(POLL_S)

    def _next_attempt(self) -> Mapping[str, Any]:
        """A starter died between the attempt's folder and its process: this number is used up."""
        with self._context.catalog.write("run", "operation"):
            reason = "The starter died before the job began."
            self._move(RunState.LOST, ON_HOST, ended_at=time.time(), reason=reason)
            if self._number <= MOST_STILLBORN:
                following = self._runs.add_attempt(self._run.id, [self._host_id], time.time())
                queueing.submit_start(self._context.catalog, self._run.id, following.number)
        return {"state": "stillborn"}

    # -- what it takes along

    def _ask_for_secrets(self) -> None:
        names = set(self._run.spec.get("secrets") or ())
        missing = sorted(names - set(self._context.secrets.get(self._run.id)))
        if missing:
            question = {"kind": "secrets", "names": missing, "subject": self._run.id, "run": self._run.name}
            raise Asked(question)

    def _report(self, text: str, done: int | None, total: int | None) -> None:
        """Say it; as long as something gets there the host is given time."""
        if done is not None and done != self._sent:
            self._sent = done
            self._deadline = time.monotonic() + PATIENCE_S
        self._say(text, done, total)
        # From here on the run speaks for itself.
        self._show("" if text == STARTING else text, done, total)

    # -- the row

    def _attempt(self) -> Attempt:
        return self._runs.attempt(self._run.id, self._number)

    def _move(self, to: RunState, expected: Collection[RunState], **fields: Any) -> bool:
        return self._runs.move(self._run.id, self._number, to, expected=expected, **fields)

    def _is_unwanted(self) -> bool:
        return self._context.closing.is_set() or self._attempt().state not in COMING

    def _follow(self) -> None:
        if not self._context.closing.is_set():
            self._link.follow(AttemptFollower(self._context.catalog, self._attempt()))

    def _fail(self, error: CloudtuiError, expected: Collection[RunState]) -> None:
        """The attempt did not get as far as a process: say why on the run itself."""
        if not self._context.closing.is_set():
            reason = f"{error.message} {error.hint}".strip()
            self._move(RunState.FAILED, expected, ended_at=time.time(), reason=reason)


def _is_silence(error: CloudtuiError) -> bool:
    """Whether the host was not heard, rather than heard to refuse."""
    return isinstance(error, UnreachableError) and not isinstance(error, AuthError)
