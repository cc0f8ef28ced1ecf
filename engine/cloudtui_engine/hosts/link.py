"""The one way to one host: a daemon thread that keeps a session while there is a need, and who may use it."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator, Mapping

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError, UnreachableError
from cloudtui_engine.hosts.followers import Follower, Followers, Key
from cloudtui_engine.hosts.keeper import Connect, Item, Keeper
from cloudtui_engine.hosts.seen import Seen
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.waiting import Waiting

TROUBLE_RETRY_S = 5.0

log = logging.getLogger(__name__)


class HostLink:
    """The link to one instance. Every public method may be called from any thread.

    Args:
        catalog: where all that comes is stored.
        instance_id: the host.
        connect: makes a connection to it.
        seen: shared with the other links, so that when hosts were heard from is written together.
    """

    def __init__(
        self, catalog: Catalog, instance_id: str, connect: Connect, seen: Seen | None = None
    ) -> None:
        self.instance_id = instance_id
        self.put_lock = threading.Lock()
        """Held while something is uploaded: two uploads of one host would only slow each other."""
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._followers = Followers()
        self._waiting = Waiting(lambda: bool(self._followers))
        self._keeper = Keeper(
            catalog,
            instance_id,
            connect,
            waiting=self._waiting,
            followers=self._followers,
            inbox=self._inbox,
            seen=seen or Seen(catalog),
        )
        self._closing = threading.Event()
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- for operations

    @contextlib.contextmanager
    def session(self, timeout: float) -> Iterator[Session]:
        """A session that is up, waited for at most `timeout` seconds.

        Raises:
            UnreachableError: none came up; the message is the newest reason.
            HostKeyError, AuthError: the host's key or the user's is not right; waiting would not help.
        """
        with self._waiting.user():
            self._run()
            yield self._waiting.wait(timeout)

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
        self._inbox.put(Item("follow", follower))
        self._run()

    @property
    def is_up(self) -> bool:
        """A session is up."""
        return self._waiting.session is not None

    @property
    def is_needed(self) -> bool:
        """Whether someone uses the link or an attempt is followed over it."""
        return self._waiting.is_needed

    def confirmations(self) -> Mapping[Key, int] | None:
        """How often each followed attempt was stored up to the host's word; None while the link is down."""
        return self._followers.confirmed() if self.is_up else None

    def hurry(self) -> None:
        """Ask for the host's word on all that is followed now, rather than when it is time."""
        self._inbox.put(Item("hurry"))

    def close(self) -> None:
        """End the link and its thread; nothing on the host is touched."""
        self._closing.set()
        self._waiting.end()
        self._inbox.put(Item("close"))
        thread = self._thread
        if thread is not None:
            thread.join(timeout=5)

    def _up(self) -> Session:
        session = self._waiting.session
        if session is None:
            raise UnreachableError("The link is down.")
        return session

    # -- its thread

    def _run(self) -> None:
        with self._beginning:
            if self._thread is None:
                name = f"link-{self.instance_id}"
                self._thread = threading.Thread(target=self._main, name=name, daemon=True)
                self._thread.start()

    def _main(self) -> None:
        while not self._ends():
            try:
                self._keeper.keep_up()
            except CatalogError as error:
                # Nothing was acknowledged that is not stored: the next session reads it again.
                log.error("The catalog cannot be written: %s %s", error.message, error.hint)  # noqa: TRY400
                self._closing.wait(TROUBLE_RETRY_S)
            except Exception:
                # Broad, for the thread is the host's only one: whatever defect is met (a follower's, a
                # library's), the host must not be left without a link unseen. It is logged whole, and the
                # next session begins from what is stored.
                log.exception("link %s", self.instance_id)
                self._closing.wait(TROUBLE_RETRY_S)

    def _ends(self) -> bool:
        """Whether the thread is of no more use; decided under the lock under which a new one is begun."""
        with self._beginning:
            if not self._closing.is_set() and not (self._waiting.is_over and self._inbox.empty()):
                return False
            self._thread = None
            return True
