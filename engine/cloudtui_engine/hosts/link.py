"""The one way to one host: a session is kept while there is a need, and who may use it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError, UnreachableError
from cloudtui_engine.hosts.crew import Crew
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
        crew: the threads that do its part; shared with the other links.
    """

    def __init__(
        self,
        catalog: Catalog,
        instance_id: str,
        connect: Connect,
        seen: Seen | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.instance_id = instance_id
        self.put_lock = threading.Lock()
        """Held while something is uploaded: two uploads of one host would only slow each other."""
        self._followers = Followers()
        self._waiting = Waiting(lambda: bool(self._followers))
        crew = crew or Crew(f"link-{instance_id}")
        self._duty = crew.duty(self._turn)
        self._keeper = Keeper(
            catalog,
            instance_id,
            connect,
            waiting=self._waiting,
            followers=self._followers,
            seen=seen or Seen(catalog),
            crew=crew,
            wake=self._duty.wake,
        )
        self._closing = False
        self._not_before = 0.0

    # -- for operations

    @contextlib.contextmanager
    def session(self, timeout: float) -> Iterator[Session]:
        """A session that is up, waited for at most `timeout` seconds.

        Raises:
            UnreachableError: none came up; the message is the newest reason.
            HostKeyError, AuthError: the host's key or the user's is not right; waiting would not help.
        """
        with self._waiting.user():
            self._duty.wake()
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
        self._keeper.post(Item("follow", follower))

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
        self._keeper.post(Item("hurry"))

    def close(self) -> None:
        """End the link; nothing on the host is touched."""
        self._closing = True
        self._waiting.end()
        self._duty.wake()
        self._duty.join(5)

    def _up(self) -> Session:
        session = self._waiting.session
        if session is None:
            raise UnreachableError("The link is down.")
        return session

    # -- its duty

    def _turn(self) -> float | None:
        """The seconds until the next turn, None after the last one."""
        left = self._not_before - time.monotonic()
        if left > 0 and not self._closing:
            return left
        try:
            if not self._closing:
                return self._keeper.turn()
            self._keeper.end()
        except CatalogError as error:
            # Nothing was acknowledged that is not stored: the next session reads it again.
            log.error("The catalog cannot be written: %s %s", error.message, error.hint)  # noqa: TRY400
        except Exception:
            # Broad, for nobody else looks after the host: whatever defect is met (a follower's, a library's),
            # it must not be left without a link unseen. It is logged whole, and the next session begins from
            # what is stored.
            log.exception("link %s", self.instance_id)
        if self._closing:
            return None
        self._not_before = time.monotonic() + TROUBLE_RETRY_S
        return TROUBLE_RETRY_S
