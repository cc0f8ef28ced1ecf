"""An attempt on a host, followed: journal bytes into the catalog, and its end judged once all is read."""

from __future__ import annotations

import itertools
import logging
import time

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.host_status import HostStatus
from cloudtui_engine.records.run import FINISHED, Attempt, RunState
from cloudtui_engine.runs import console_log, follow_up, lineage
from cloudtui_engine.runs.ingest import Ingest
from cloudtui_engine.runs.verdict import Verdict, judge
from cloudtui_engine.sanitize import clean_line

log = logging.getLogger(__name__)

SOURCES = ("trainer", "system", "console")
LAST_WORDS = frozenset({"done", "artifact"})
"""Records after which the end is near."""
STATUS_EVERY_S = 2.0
STATUS_SOON_S = 0.2
STATUS_REFUSED_S = 30.0
STATUS_TIMEOUT_S = 3.0
"""Short, since the same thread shows that the host is silent."""
FOLLOW_TIMEOUT_S = 10.0
FOLLOW_AGAIN_S = 5.0


def is_on_its_own(catalog: Catalog, attempt: Attempt) -> bool:
    """Whether a host may be asked how the attempt stands.

    Not while it is being started: the host may rightly say that it has no such attempt yet.
    """
    if attempt.state is RunState.STARTING:
        return all(operation.kind != "run.start" for operation in catalog.operations.open_for(attempt.run_id))
    return attempt.state.is_on_host


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
        self._fresh: set[int] = set()
        self._status: HostStatus | None = None
        self._next_status = 0.0
        self._unfollowed: dict[int, str] = {}
        self._next_follow = 0.0

    def attach(self, session: Session) -> None:
        """Go on from the cursors, over a fresh session.

        Raises:
            CloudtuiError: the link broke; attach again over the next one.
        """
        self._ingests.clear()
        self._received.clear()
        self._fresh.clear()
        self._status = None
        self._next_status = 0.0
        self._unfollowed = dict(self._streams)
        self._follow_all(session)

    def _follow_all(self, session: Session) -> None:
        """Begin with what is not followed yet; what the host refuses now is tried again."""
        self._next_follow = time.monotonic() + FOLLOW_AGAIN_S
        for stream, name in list(self._unfollowed.items()):
            source = self._catalog.sources.open(self.attempt.instance_id, self.run_id, self.number, name)
            if not source.alarm and not self._follow(
                session, stream, Ingest(self._catalog, source, session.clock_offset)
            ):
                continue
            del self._unfollowed[stream]

    def _follow(self, session: Session, stream: int, ingest: Ingest) -> bool:
        source = ingest.source
        self._ingests[stream] = ingest
        self._received[stream] = source.offset
        try:
            session.follow(
                stream,
                job=self.run_id,
                attempt=self.number,
                source=source.name,
                offset=source.offset,
                tail=source.tail,
                timeout=FOLLOW_TIMEOUT_S,
            )
        except UnreachableError:
            raise
        except CloudtuiError as error:
            if error.code == "journal_rewritten":
                self.alarm(stream, error.message)
                return True
            self._ingests.pop(stream)
            self._received.pop(stream)
            log.warning("%s of %s a%d: %s", source.name, self.run_id, self.number, error.message)
            return False
        return True

    def owns(self, stream: int) -> bool:
        """Whether the bytes of this stream are ours."""
        return stream in self._streams

    def receive(self, stream: int, offset: int, data: bytes) -> None:
        """Take bytes in; `commit` stores them."""
        ingest = self._ingests.get(stream)
        if ingest is not None:
            ingest.feed(offset, data)
            self._received[stream] = offset + len(data)
            self._fresh.add(stream)

    def commit(self, session: Session) -> None:
        """Store all whole lines that came, and tell the host how far."""
        for stream in self._fresh:
            ingest = self._ingests.get(stream)
            if ingest is None:
                continue
            committed = ingest.commit()
            if committed is not None and any(
                record.get("kind") in LAST_WORDS for record in committed.records
            ):
                self._next_status = min(self._next_status, time.monotonic() + STATUS_SOON_S)
            session.ack(stream, self._received[stream])
        self._fresh.clear()

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
        if self._unfollowed and time.monotonic() >= self._next_follow:
            self._follow_all(session)
        if not self._has_ended and time.monotonic() >= self._next_status:
            self._ask(session)
        if self._status is not None and self._drained(self._status):
            self.confirmed += 1
            if self._has_ended:
                self._finish(self._status, session.clock_offset)
            self._status = None

    @property
    def _has_ended(self) -> bool:
        return self._status is not None and self._status.has_ended

    def _ask(self, session: Session) -> None:
        self._next_status = time.monotonic() + STATUS_EVERY_S
        try:
            args = {"job": self.run_id, "attempt": self.number}
            status = replies.attempt_status(session.request("status", args, STATUS_TIMEOUT_S))
        except LinkTimeoutError:
            return  # The session itself watches whether the link lives.
        except UnreachableError:
            raise
        except CloudtuiError as error:
            if error.code == "root_gone" and self._never_began():
                self._status = HostStatus("missing")
                return
            # The host refuses to say: what is known stays, and it is asked again, rarely.
            self._next_status = time.monotonic() + STATUS_REFUSED_S
            log.warning("status of %s a%d: %s", self.run_id, self.number, error.message)
            return
        self._status = status
        self._note_alive(status.state)

    def _never_began(self) -> bool:
        """Whether the host has never confirmed it: then a host without our folder has not got its start."""
        return self._catalog.runs.attempt(self.run_id, self.number).state is RunState.STARTING

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
            )
        if state == "elsewhere":
            return
        run = self._catalog.runs.get(self.attempt.run_id)
        if run.stale_since is not None:
            self._catalog.runs.set_stale([self.attempt.run_id], None)

    def _drained(self, status: HostStatus) -> bool:
        """Whether all bytes that the host had when it was asked are stored (a torn last line never is)."""
        return all(
            self._received.get(stream, 0) >= status.sources.get(self._streams[stream], 0)
            for stream in (*self._ingests, *self._unfollowed)
        )

    def _finish(self, status: HostStatus, clock_offset: float) -> None:
        attempt = self._catalog.runs.attempt(self.attempt.run_id, self.attempt.number)
        done = self._catalog.runs.last_word(attempt.run_id, attempt.number)
        verdict = judge(status, done, stop_requested=attempt.stop_requested_at is not None)
        # Lost by somebody's word, who took the machine for gone: proof of another end beats that.
        if attempt.state not in FINISHED or (
            attempt.state is RunState.LOST and verdict.state is not RunState.LOST
        ):
            with self._catalog.write("run", "operation"):
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
                lineage.register(self._catalog, attempt, verdict.state)
                follow_up.begin(self._catalog, attempt, verdict.state)
                if attempt.state is RunState.LOST:
                    self._pull_what_is_back()
        self.finished = True

    def _pull_what_is_back(self) -> None:
        """While it was taken for lost, what it left was asked for once, most likely in vain."""
        files = self._catalog.runs.artifacts(self.run_id, self.number)
        if any(file.wanted and file.local is None for file in files):
            key = f"run.pull:{self.run_id}:{self.number}:found"
            self._catalog.operations.submit("run.pull", self.run_id, {"attempt": self.number}, key)

    def _with_last_line(self, verdict: Verdict) -> str:
        """A bare exit status says little; the last thing that the job printed often says why."""
        if verdict.state is not RunState.FAILED or not verdict.exit_code:
            return verdict.reason
        last = clean_line(console_log.last_line(self._catalog.paths.console(self.run_id, self.number)), 200)
        said = verdict.reason.startswith(last.removesuffix("…"))
        return verdict.reason if said else f"{verdict.reason} {last}".strip()


def _end_of(status: HostStatus, clock_offset: float) -> float:
    """When it ended by our clock: by the host's record where it left one, which may be days old by now."""
    now = time.time()
    return now if status.ended_at is None else max(0.0, min(now, status.ended_at + clock_offset))
