"""The one way to one host: a daemon thread that keeps a session while there is a need, and stores what comes.

All journal bytes of a host pass through its thread: what came together is one round of commits.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import (
    AuthError,
    CatalogError,
    CloudtuiError,
    HostKeyError,
    LinkTimeoutError,
    UnreachableError,
)
from cloudtui_engine.hosts.followers import Follower, Followers, Key
from cloudtui_engine.hosts.link_display import LinkDisplay
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport, backoff
from cloudtui_engine.records.instance import VANISHED, Instance

TICK_S = 0.25
LINGER_S = 20.0
"""How long a link that nothing needs is kept."""
STEADY_S = 10.0
"""A session that lasted so long was a good one: the next is tried at once."""
TROUBLE_RETRY_S = 5.0
REFUSED_RETRY_S = 60.0
"""A host that answers and will not have us is not asked often: it may ban whoever knocks."""

log = logging.getLogger(__name__)

Connect = Callable[[Instance], tuple[Transport, Callable[..., Session]]]


@dataclass(frozen=True, slots=True)
class _Item:
    """Something for the host's thread; `era` tells which session it came from, None for what people ask."""

    kind: str
    value: Any = None
    era: int | None = None


class HostLink:
    """The link to one instance. Every public method may be called from any thread."""

    def __init__(self, catalog: Catalog, instance_id: str, connect: Connect) -> None:
        self.instance_id = instance_id
        self.put_lock = threading.Lock()
        """Held while something is uploaded: two uploads of one host would only slow each other."""
        self._catalog = catalog
        self._connect = connect
        self._inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._state = threading.Condition()
        self._session: Session | None = None
        self._error: CloudtuiError | None = None
        self._users = 0
        self._idle_since = time.monotonic()
        self._retry_now = threading.Event()
        self._closing = threading.Event()
        self._followers = Followers()
        self._display = LinkDisplay(catalog, instance_id, self._followers)
        self._era = 0
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
        return self._up().transport

    @property
    def root(self) -> str:
        """Our folder on the host of the session that is up, absolute."""
        return str(self._up().hello["root"])

    def follow(self, follower: Follower) -> None:
        """Follow until it is finished; a second follower of the same attempt is dropped."""
        self._inbox.put(_Item("follow", follower))
        self._run()

    @property
    def is_up(self) -> bool:
        """A session is up."""
        with self._state:
            return self._session is not None

    @property
    def is_needed(self) -> bool:
        """Whether someone uses the link or an attempt is followed over it."""
        with self._state:
            return bool(self._users or self._followers)

    def confirmations(self) -> Mapping[Key, int] | None:
        """How often each followed attempt was stored up to the host's word; None while the link is down."""
        with self._state:
            return None if self._session is None else self._followers.confirmed()

    def hurry(self) -> None:
        """Ask for the host's word on all that is followed now, rather than when it is time."""
        self._inbox.put(_Item("hurry"))

    def close(self) -> None:
        """End the link and its thread; nothing on the host is touched."""
        self._closing.set()
        self._retry_now.set()
        self._inbox.put(_Item("close"))
        thread = self._thread
        if thread is not None:
            thread.join(timeout=5)

    def _up(self) -> Session:
        with self._state:
            if self._session is None:
                raise UnreachableError("The link is down.")
            return self._session

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
            late = LinkTimeoutError(f"No link came up within {timeout:.0f} s.", "Is the host running?")
            raise self._error or late

    # -- the thread

    def _run(self) -> None:
        with self._state:
            if self._thread is None:
                name = f"link-{self.instance_id}"
                self._thread = threading.Thread(target=self._main, name=name, daemon=True)
                self._thread.start()

    def _main(self) -> None:
        while not self._ends():
            try:
                self._keep_up()
            except CatalogError as error:
                # Nothing was acknowledged that is not stored: the next session reads it again.
                log.error("The catalog cannot be written: %s %s", error.message, error.hint)  # noqa: TRY400
                self._closing.wait(TROUBLE_RETRY_S)
            except Exception:  # the thread is the host's only one: a defect must not end it unseen
                log.exception("link %s", self.instance_id)
                self._closing.wait(TROUBLE_RETRY_S)

    def _ends(self) -> bool:
        """Whether the thread is of no more use; decided under the lock under which a new one is begun."""
        with self._state:
            busy = self._users or self._followers or not self._inbox.empty() or not self._has_lingered()
            if busy and not self._closing.is_set():
                return False
            self._thread = None
            return True

    def _has_lingered(self) -> bool:
        return time.monotonic() - self._idle_since > LINGER_S

    def _keep_up(self) -> None:
        """Have a session for as long as there is a need."""
        attempt = 0
        while not self._closing.is_set():
            self._take_inbox(None, 0)
            if not self.is_needed and self._has_lingered():
                break
            try:
                session = self._open()
            except CatalogError:
                raise
            except CloudtuiError as error:
                self._give_up_for_now(error)
                knocking = isinstance(error, HostKeyError | AuthError)
                # Shorter where someone has asked for a session since the last try.
                self._retry_now.wait(REFUSED_RETRY_S if knocking else backoff(attempt))
                attempt += 1
                continue
            begun = time.monotonic()
            if self._serve(session):
                break
            attempt = 0 if time.monotonic() - begun > STEADY_S else attempt + 1
            self._retry_now.wait(backoff(attempt))
        self._display.rest()

    def _give_up_for_now(self, error: CloudtuiError) -> None:
        self._display.failed(error)
        with self._state:
            self._error = error
            self._state.notify_all()

    def _open(self) -> Session:
        self._retry_now.clear()
        self._display.connecting()
        self._era += 1
        era = self._era
        instance = self._catalog.instances.get(self.instance_id)
        if instance.is_gone:
            # Its address may be a stranger's. What has vanished may come back, with what was followed there.
            if instance.cloud_state != VANISHED:
                self._followers.clear()
            raise UnreachableError(f"{instance.name} is {instance.cloud_state}.", code="gone")
        transport, start = self._connect(instance)
        try:
            session = start(
                on_data=lambda stream, offset, data: self._inbox.put(
                    _Item("data", (stream, offset, data), era)
                ),
                on_event=lambda event: self._inbox.put(_Item("event", event, era)),
                on_closed=lambda error: self._inbox.put(_Item("closed", error, era)),
            )
        except CloudtuiError:
            transport.close()
            raise
        self._catalog.instances.update(
            self.instance_id,
            machine_id=str(session.hello["machine_id"]),
            clock_offset_s=session.clock_offset,
        )
        with self._state:
            self._session = session
            self._error = None
            self._state.notify_all()
        return session

    def _serve(self, session: Session) -> bool:
        """Until the session breaks, or nothing needs it: then True."""
        ending: CloudtuiError | None = None
        try:
            self._followers.attach(session)
            while not self._closing.is_set():
                self._take_inbox(session, TICK_S)
                if self._followers.tick(session):
                    self._idle_since = time.monotonic()
                self._display.health(session)
                if not self.is_needed and self._has_lingered():
                    break
        except CatalogError:
            raise
        except CloudtuiError as error:
            ending = error
        finally:
            with self._state:
                self._session = None
                self._error = ending
            session.close()
        if ending is not None:
            self._display.failed(ending)
        return ending is None

    def _take_inbox(self, session: Session | None, wait: float) -> None:
        """Handle all that has come; bytes that came together are committed together."""
        block = wait > 0
        while True:
            try:
                item = self._inbox.get(timeout=wait) if block else self._inbox.get_nowait()
            except queue.Empty:
                break
            block = False
            if item.era is None:
                self._take_wish(item, session)
            elif session is not None and item.era == self._era:
                self._take_news(item, session)
        if session is not None:
            self._followers.commit(session)

    def _take_wish(self, item: _Item, session: Session | None) -> None:
        if item.kind == "follow" and self._followers.add(item.value) and session is not None:
            item.value.attach(session)
        elif item.kind == "hurry":
            self._followers.hurry()

    def _take_news(self, item: _Item, session: Session) -> None:
        if item.kind == "data":
            self._followers.receive(*item.value)
        elif item.kind == "event":
            self._followers.take_event(item.value)
        else:
            self._followers.commit(session)
            raise item.value or UnreachableError("The link closed.")
