"""An attempt on a host, followed: journal bytes into the catalog, and its end judged once all is read."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.run import FINISHED, Attempt, RunState
from cloudtui_engine.runs import console_log
from cloudtui_engine.runs.ingest import Ingest
from cloudtui_engine.runs.verdict import ENDED, Verdict, judge
from cloudtui_engine.sanitize import clean_line

log = logging.getLogger(__name__)

SOURCES = ("trainer", "system", "console")
STATUS_EVERY_S = 2.0
STATUS_SOON_S = 0.2
STATUS_REFUSED_S = 30.0
STATUS_TIMEOUT_S = 3.0
"""Short, since the same thread shows that the host is silent."""
FOLLOW_TIMEOUT_S = 10.0


class AttemptFollower:
    """Follows one attempt over one session; the cursor in the catalog is all that outlives it.

    Used by one thread, the host's.
    """

    _stream_numbers = itertools.count(1)

    def __init__(self, catalog: Catalog, attempt: Attempt) -> None:
        self.attempt = attempt
        self.run_id = attempt.run_id
        self.number = attempt.number
        self.finished = False
        self.confirmed = 0
        """How many times the host's word on this attempt was read and all before it was stored."""
        self._catalog = catalog
        self._streams = {next(self._stream_numbers): name for name in SOURCES}
        self._ingests: dict[int, Ingest] = {}
        self._received: dict[int, int] = {}
        self._status: Mapping[str, Any] | None = None
        self._next_status = 0.0

    def attach(self, session: Session) -> None:
        """Go on from the cursors, over a fresh session.

        Raises:
            CloudtuiError: the link broke; attach again over the next one.
        """
        self._ingests.clear()
        self._received.clear()
        self._status = None
        self._next_status = 0.0
        for stream, name in self._streams.items():
            source = self._catalog.sources.open(
                self.attempt.instance_id, self.attempt.run_id, self.attempt.number, name
            )
            if source.alarm:
                continue
            ingest = Ingest(self._catalog, source, session.clock_offset)
            source = ingest.source
            try:
                session.follow(
                    stream,
                    job=self.attempt.run_id,
                    attempt=self.attempt.number,
                    source=name,
                    offset=source.offset,
                    tail=source.tail,
                    timeout=FOLLOW_TIMEOUT_S,
                )
            except UnreachableError:
                raise
            except CloudtuiError as error:
                if error.code == "journal_rewritten":
                    self.alarm(stream, error.message)
                else:
                    log.warning("%s of %s a%d: %s", name, self.run_id, self.number, error.message)
                continue
            self._ingests[stream] = ingest
            self._received[stream] = source.offset

    def owns(self, stream: int) -> bool:
        """Whether the bytes of this stream are ours."""
        return stream in self._streams

    def receive(self, stream: int, offset: int, data: bytes) -> None:
        """Take bytes in; `commit` stores them."""
        ingest = self._ingests.get(stream)
        if ingest is not None:
            ingest.feed(offset, data)
            self._received[stream] = offset + len(data)

    def commit(self, session: Session) -> None:
        """Store all whole lines that came, and tell the host how far."""
        for stream, ingest in self._ingests.items():
            committed = ingest.commit()
            if committed is not None:
                for record in committed.records:
                    if record.get("kind") in {"done", "artifact"}:
                        self._next_status = min(self._next_status, time.monotonic() + STATUS_SOON_S)
            session.ack(stream, self._received[stream])

    def alarm(self, stream: int, why: str) -> None:
        """The host's file is not the one we read: what is stored stays, and no more is taken from it."""
        name = self._streams[stream]
        text = f"The {name} journal of attempt {self.number} was changed on the host and is left alone. {why}"
        source = self._catalog.sources.open(
            self.attempt.instance_id, self.attempt.run_id, self.attempt.number, name
        )
        with self._catalog.write("run"):
            self._catalog.sources.alarm(source.id, text)
            self._catalog.events.add(self.attempt.run_id, "error", "journal_rewritten", text)
        self._ingests.pop(stream, None)
        self._received.pop(stream, None)

    def tick(self, session: Session) -> None:
        """Ask for the host's word when it is time; judge the end when all that it left is stored.

        Raises:
            UnreachableError: the link broke.
        """
        if self.finished:
            return
        if not self._has_ended and time.monotonic() >= self._next_status:
            self._ask(session)
        if self._status is not None and self._drained(self._status):
            self.confirmed += 1
            if self._has_ended:
                self._finish(self._status, session.clock_offset)
            self._status = None

    @property
    def _has_ended(self) -> bool:
        return self._status is not None and self._status["state"] in ENDED

    def _ask(self, session: Session) -> None:
        self._next_status = time.monotonic() + STATUS_EVERY_S
        try:
            status = session.request("status", {"job": self.run_id, "attempt": self.number}, STATUS_TIMEOUT_S)
            status["state"] = replies.text(status, "state")
        except LinkTimeoutError:
            return  # The session itself watches whether the link lives.
        except UnreachableError:
            raise
        except CloudtuiError as error:
            # The host refuses to say: what is known stays, and it is asked again, rarely.
            self._next_status = time.monotonic() + STATUS_REFUSED_S
            log.warning("status of %s a%d: %s", self.run_id, self.number, error.message)
            return
        self._status = status
        self._note_alive(status["state"])

    def hurry(self) -> None:
        """Ask for the host's word at the next tick."""
        self._next_status = 0.0

    def _note_alive(self, state: str) -> None:
        """The host confirms that it runs: the attempt moves on, and it is not stale."""
        if state in {"running", "orphan-running", "ending"}:
            self._catalog.runs.move(
                self.attempt.run_id,
                self.attempt.number,
                RunState.RUNNING,
                expected=(RunState.STARTING, RunState.LOST),
                started_at=time.time(),
            )
        if state == "elsewhere":
            return
        run = self._catalog.runs.get(self.attempt.run_id)
        if run.stale_since is not None:
            self._catalog.runs.set_stale([self.attempt.run_id], None)

    def _drained(self, status: Mapping[str, Any]) -> bool:
        """Whether all bytes that the host had when it was asked are stored (a torn last line never is)."""
        sizes = status.get("sources") or {}
        for stream in self._ingests:
            size = sizes.get(self._streams[stream], 0)
            if isinstance(size, int) and self._received[stream] < size:
                return False
        return True

    def _finish(self, status: Mapping[str, Any], clock_offset: float) -> None:
        attempt = self._catalog.runs.attempt(self.attempt.run_id, self.attempt.number)
        if attempt.state not in FINISHED:
            done = self._catalog.runs.last_word(attempt.run_id, attempt.number)
            verdict = judge(status, done, stop_requested=attempt.stop_requested_at is not None)
            with self._catalog.write("run"):
                self._catalog.runs.move(
                    attempt.run_id,
                    attempt.number,
                    verdict.state,
                    expected=(RunState.STARTING, RunState.RUNNING, RunState.STOPPING, RunState.LOST),
                    ended_at=_end_of(status, clock_offset),
                    exit_code=verdict.exit_code,
                    reason=self._with_last_line(verdict),
                )
                self._catalog.runs.set_stale([attempt.run_id], None)
                if verdict.state is RunState.SUCCEEDED and self._has_weights():
                    self._catalog.models.register(attempt.run_id, attempt.number)
        self.finished = True

    def _with_last_line(self, verdict: Verdict) -> str:
        """A bare exit status says little; the last thing that the job printed often says why."""
        if verdict.state is not RunState.FAILED or not verdict.exit_code:
            return verdict.reason
        last = console_log.last_line(self._catalog.paths.console(self.run_id, self.number))
        return f"{verdict.reason} {clean_line(last, 200)}".strip()

    def _has_weights(self) -> bool:
        run = self._catalog.runs.get(self.attempt.run_id)
        return any(artifact.kind in {"weights", "onnx"} for artifact in run.artifacts)


def _end_of(status: Mapping[str, Any], clock_offset: float) -> float:
    """When it ended by our clock: by the host's record where it left one, which may be days old by now."""
    at = (status.get("exit") or {}).get("t")
    now = time.time()
    return min(now, at + clock_offset) if isinstance(at, int | float) else now
