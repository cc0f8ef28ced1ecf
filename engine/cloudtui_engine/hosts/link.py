"""The one way to one host: a daemon thread that keeps a session while there is a need, and stores what comes.

All journal bytes of a host pass through its thread: what came together is one round of commits.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import (
    AuthError,
    CatalogError,
    CloudtuiError,
    HostKeyError,
    LinkTimeoutError,
    UnreachableError,
)
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport, backoff
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import Instance, LinkState

SILENT_AFTER_S = 6.0
"""No byte for so long is shown: the host is asked every 3 s."""
TICK_S = 0.25
SEEN_EVERY_S = 5.0
LINGER_S = 20.0
"""How long a link that nothing needs is kept."""
STEADY_S = 10.0
"""A session that lasted so long was a good one: the next is tried at once."""
CATALOG_RETRY_S = 5.0
REFUSED_RETRY_S = 60.0
"""A host that answers and will not have us is not asked often: it may ban whoever knocks."""

log = logging.getLogger(__name__)

Connect = Callable[[Instance], tuple[Transport, Callable[..., Session]]]


class Follower(Protocol):
    """Something on the host whose files are read for as long as it lives. Used by the host's thread alone."""

    run_id: str
    number: int
    finished: bool
    confirmed: int
    """How many times the host's word on it was read, and all before it was stored."""

    def attach(self, session: Session) -> None:
        """Go on over a fresh session."""

    def owns(self, stream: int) -> bool:
        """Whether the bytes of this stream are its own."""

    def receive(self, stream: int, offset: int, data: bytes) -> None:
        """Take bytes in."""

    def commit(self, session: Session) -> None:
        """Store what was received and acknowledge it."""

    def alarm(self, stream: int, why: str) -> None:
        """The host's file is not the one that was read."""

    def tick(self, session: Session) -> None:
        """Called a few times a second while the session is up."""

    def hurry(self) -> None:
        """Ask for the host's word at the next tick."""


class HostLink:
    """The link to one instance. Every public method may be called from any thread."""

    def __init__(self, catalog: Catalog, instance_id: str, connect: Connect) -> None:
        self.instance_id = instance_id
        self.put_lock = threading.Lock()
        """Held while something is uploaded: two uploads of one host would only slow each other."""
        self._catalog = catalog
        self._connect = connect
        self._inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._state = threading.Condition()
        self._session: Session | None = None
        self._error: CloudtuiError | None = None
        self._users = 0
        self._idle_since = time.monotonic()
        self._retry_now = threading.Event()
        self._closing = threading.Event()
        self._followers: dict[tuple[str, int], Follower] = {}
        self._link_state = LinkState.DOWN
        self._seen_written = 0.0
        self._thread: threading.Thread | None = None

    # -- for operations

    @contextlib.contextmanager
    def session(self, timeout: float) -> Iterator[Session]:
        """A session that is up, waited for at most `timeout` seconds.

        Raises:
            UnreachableError: none came up; the message is the newest reason.
            HostKeyError, AuthError: the host's key or the user's is not right; waiting would not help.
        """
        with self._state:
            self._users += 1
            self._error = None
        self._retry_now.set()
        self._run()
        try:
            yield self._wait_for_session(timeout)
        finally:
            with self._state:
                self._users -= 1
                self._idle_since = time.monotonic()

    @property
    def transport(self) -> Transport:
        """The transport of the session that is up, for the bulk lane."""
        with self._state:
            if self._session is None:
                raise UnreachableError("The link is down.")
            return self._session.transport

    @property
    def root(self) -> str:
        """Our folder on the host of the session that is up, absolute."""
        with self._state:
            if self._session is None:
                raise UnreachableError("The link is down.")
            return str(self._session.hello["root"])

    def follow(self, follower: Follower) -> None:
        """Follow until it is finished; a second follower of the same attempt is dropped."""
        self._inbox.put(("follow", follower))
        self._run()

    @property
    def is_needed(self) -> bool:
        """Whether someone uses the link or an attempt is followed over it."""
        with self._state:
            return bool(self._users or self._followers)

    def confirmations(self) -> dict[tuple[str, int], int] | None:
        """How often each followed attempt was stored up to the host's word; None while the link is down."""
        with self._state:
            if self._session is None:
                return None
            return {key: follower.confirmed for key, follower in self._followers.items()}

    def hurry(self) -> None:
        """Ask for the host's word on all that is followed now, rather than when it is time."""
        self._inbox.put(("hurry", None))

    def close(self) -> None:
        """End the link and its thread; nothing on the host is touched."""
        self._closing.set()
        self._retry_now.set()
        self._inbox.put(("close", None))
        thread = self._thread
        if thread is not None:
            thread.join(timeout=5)

    # -- the thread

    def _run(self) -> None:
        with self._state:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._main, name=f"link-{self.instance_id}", daemon=True
                )
                self._thread.start()

    def _wait_for_session(self, timeout: float) -> Session:
        deadline = time.monotonic() + timeout
        with self._state:
            while self._session is None:
                if isinstance(self._error, HostKeyError | AuthError) or self._closing.is_set():
                    break
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._state.wait(left)
            if self._session is not None:
                return self._session
            raise self._error or LinkTimeoutError(
                f"No link came up within {timeout:.0f} s.", "Is the host running?"
            )

    def _main(self) -> None:
        while not self._ends():
            try:
                self._keep_up()
            except CatalogError as error:
                # Nothing was acknowledged that is not stored: the next session reads it again.
                log.error("The catalog cannot be written: %s %s", error.message, error.hint)  # noqa: TRY400 - said whole
                self._rest(CATALOG_RETRY_S)

    def _ends(self) -> bool:
        """Whether the thread is of no more use; decided under the lock under which a new one is begun."""
        with self._state:
            if not self._closing.is_set() and (
                self._users or self._followers or not self._inbox.empty() or not self._has_lingered()
            ):
                return False
            self._thread = None
            return True

    def _has_lingered(self) -> bool:
        return time.monotonic() - self._idle_since > LINGER_S

    def _keep_up(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            self._take_inbox(None, 0)
            if not self.is_needed and self._has_lingered():
                break
            try:
                session = self._open()
            except CloudtuiError as error:
                self._show(_state_of(error), error.message)
                with self._state:
                    self._error = error
                    self._state.notify_all()
                knocking = isinstance(error, HostKeyError | AuthError)
                self._rest(REFUSED_RETRY_S if knocking else backoff(attempt))
                attempt += 1
                continue
            begun = time.monotonic()
            if self._serve(session):
                break
            attempt = 0 if time.monotonic() - begun > STEADY_S else attempt + 1
            self._rest(backoff(attempt))
        # This machine is at hand whether a session is open or not.
        is_local = self._catalog.instances.get(self.instance_id).provider == "local"
        self._show(LinkState.UP if is_local else LinkState.DOWN, "")

    def _rest(self, seconds: float) -> None:
        """Wait, unless someone has asked for a session since the last try."""
        self._retry_now.wait(seconds)

    def _open(self) -> Session:
        self._retry_now.clear()
        instance = self._catalog.instances.get(self.instance_id)
        self._show(LinkState.CONNECTING, "")
        transport, start = self._connect(instance)
        try:
            session = start(
                on_data=lambda stream, offset, data: self._inbox.put(("data", (stream, offset, data))),
                on_event=lambda event: self._inbox.put(("event", event)),
                on_closed=lambda error: self._inbox.put(("closed", error)),
            )
        except CloudtuiError:
            transport.close()
            raise
        self._drain_inbox()
        with self._state:
            self._session = session
            self._error = None
            self._state.notify_all()
        self._catalog.instances.update(
            self.instance_id,
            machine_id=str(session.hello.get("machine_id", "")),
            clock_offset_s=session.clock_offset,
        )
        return session

    def _drain_inbox(self) -> None:
        """Forget bytes of the session before; keep what is asked of us."""
        kept = []
        with contextlib.suppress(queue.Empty):
            while True:
                kind, value = self._inbox.get_nowait()
                if kind == "follow":
                    kept.append((kind, value))
        for item in kept:
            self._inbox.put(item)

    def _serve(self, session: Session) -> bool:
        """Until the session breaks, or nothing needs it: then True."""
        ending: CloudtuiError | None = None
        try:
            for follower in list(self._followers.values()):
                follower.attach(session)
            while not self._closing.is_set():
                self._take_inbox(session, TICK_S)
                for follower in list(self._followers.values()):
                    follower.tick(session)
                    if follower.finished:
                        self._drop(follower)
                self._show_health(session)
                if not self.is_needed and self._has_lingered():
                    break
        except CloudtuiError as error:
            ending = error
        finally:
            with self._state:
                self._session = None
                self._error = ending
            session.close()
        if ending is not None:
            self._show(_state_of(ending), ending.message)
        return ending is None

    def _drop(self, follower: Follower) -> None:
        with self._state:
            self._followers.pop((follower.run_id, follower.number), None)
            self._idle_since = time.monotonic()

    def _take_inbox(self, session: Session | None, wait: float) -> None:
        """Handle all that has come; bytes that came together are committed together."""
        dirty: set[Follower] = set()
        block = wait > 0
        while True:
            try:
                kind, value = self._inbox.get(timeout=wait) if block else self._inbox.get_nowait()
            except queue.Empty:
                break
            block = False
            if kind == "follow":
                self._add(value, session)
            elif kind == "data" and session is not None:
                dirty |= self._receive(*value)
            elif kind == "event" and session is not None:
                self._event(value)
            elif kind == "hurry":
                for follower in self._followers.values():
                    follower.hurry()
            elif kind == "closed" and session is not None:
                for follower in dirty:
                    follower.commit(session)
                raise value or UnreachableError("The link closed.")
        if session is not None:
            for follower in dirty:
                follower.commit(session)

    def _add(self, follower: Follower, session: Session | None) -> None:
        key = (follower.run_id, follower.number)
        if key in self._followers:
            return
        with self._state:
            self._followers[key] = follower
        if session is not None:
            follower.attach(session)

    def _receive(self, stream: int, offset: int, data: bytes) -> set[Follower]:
        for follower in self._followers.values():
            if follower.owns(stream):
                follower.receive(stream, offset, data)
                return {follower}
        return set()

    def _event(self, event: dict[str, Any]) -> None:
        if event.get("event") == "rewritten" and isinstance(event.get("stream"), int):
            for follower in self._followers.values():
                if follower.owns(event["stream"]):
                    follower.alarm(event["stream"], "It became shorter.")

    # -- what is shown of it

    def _show_health(self, session: Session) -> None:
        silence = session.silence()
        if silence >= SILENT_AFTER_S:
            self._show(LinkState.SILENT, f"No answer for {silence:.0f} s.")
        else:
            self._show(LinkState.UP, "")
            if time.monotonic() - self._seen_written >= SEEN_EVERY_S:
                self._seen_written = time.monotonic()
                self._catalog.instances.update(self.instance_id, seen_at=time.time() - silence)

    def _show(self, state: LinkState, detail: str) -> None:
        if state is self._link_state and state in {LinkState.UP, LinkState.SILENT, LinkState.CONNECTING}:
            return
        if state is LinkState.CONNECTING and self._link_state not in {
            LinkState.DOWN,
            LinkState.UP,
            LinkState.SILENT,
        }:
            return  # The reason of the last failure says more than "connecting".
        self._link_state = state
        with self._catalog.write("instance", "run"):
            self._catalog.instances.update(
                self.instance_id, link_state=state, link_detail=detail, link_since=time.time()
            )
            if state not in {LinkState.UP, LinkState.CONNECTING}:
                ids = [run_id for run_id, _ in self._followers]
                fresh = [run_id for run_id in ids if self._catalog.runs.get(run_id).stale_since is None]
                if fresh:
                    self._catalog.runs.set_stale(fresh, time.time())


def _state_of(error: CloudtuiError) -> LinkState:
    if isinstance(error, HostKeyError):
        return LinkState.KEY_CHANGED if error.changed else LinkState.NEEDS_YOU
    if isinstance(error, PassphraseError):
        return LinkState.NEEDS_YOU
    if isinstance(error, AuthError):
        return LinkState.REFUSED
    return LinkState.DOWN
