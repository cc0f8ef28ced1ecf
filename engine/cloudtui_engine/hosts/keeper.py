"""What is done for a host: have a session for as long as there is a need, and store what comes.

All journal bytes of a host pass through its keeper: what came together is one round of commits.
"""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import AuthError, CatalogError, CloudtuiError, HostKeyError, UnreachableError
from cloudtui_engine.hosts.crew import Crew
from cloudtui_engine.hosts.followers import Followers
from cloudtui_engine.hosts.link_display import LinkDisplay
from cloudtui_engine.hosts.seen import Seen
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport, backoff
from cloudtui_engine.hosts.waiting import Waiting
from cloudtui_engine.records.instance import VANISHED, Instance

TICK_S = 0.25
"""How often followers look."""
QUIET_TICK_S = 1.0
"""The same where nothing is followed: hundreds of links that idle are to cost nothing."""
STEADY_S = 10.0
"""A session that lasted so long was a good one: the next is tried at once."""
REFUSED_RETRY_S = 60.0
"""A host that answers and will not have us is not asked often: it may ban whoever knocks."""

Connect = Callable[[Instance], tuple[Transport, Callable[..., Session]]]


@dataclass(frozen=True, slots=True)
class Item:
    """Something for the keeper; `era` tells which session it came from, None for what people ask."""

    kind: str
    value: Any = None
    era: int | None = None


class Keeper:
    """One host's sessions, one after the other. `turn` and `end` are called by one thread at a time.

    Args:
        catalog: where all that comes is stored.
        instance_id: the host.
        connect: makes a connection to it.
        waiting: who needs a session.
        followers: what is followed.
        seen: when hosts were heard from.
        crew: whose threads do the session's part.
        wake: asks for a turn.
    """

    def __init__(
        self,
        catalog: Catalog,
        instance_id: str,
        connect: Connect,
        *,
        waiting: Waiting,
        followers: Followers,
        seen: Seen,
        crew: Crew,
        wake: Callable[[], None],
    ) -> None:
        self._catalog = catalog
        self._instance_id = instance_id
        self._connect = connect
        self._waiting = waiting
        self._followers = followers
        self._crew = crew
        self._wake = wake
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._display = LinkDisplay(catalog, instance_id, followers, seen)
        self._session: Session | None = None
        self._era = 0
        self._attempt = 0
        self._up_at = 0.0
        self._next_try = 0.0

    def post(self, item: Item) -> None:
        """Have it seen to; from any thread."""
        self._inbox.put(item)
        self._wake()

    def turn(self) -> float:
        """Do what is to be done now.

        Returns:
            The seconds until it is worth another turn, unless something comes or somebody asks before.

        Raises:
            CatalogError: what came could not be stored; none of it was acknowledged, and the session is over.
        """
        if self._session is not None:
            return self._serve(self._session)
        self._take_inbox(None)
        if self._waiting.is_over:
            self._attempt, self._next_try = 0, 0.0
            self._display.rest()
            return math.inf
        left = self._next_try - time.monotonic()
        if left > 0 and not self._waiting.is_asked:
            return left
        return self._try()

    def end(self) -> None:
        """Nothing is to be kept any more."""
        if self._session is not None:
            self._drop(self._session, None)
        self._display.rest()

    # -- without a session

    def _try(self) -> float:
        try:
            session = self._open()
        except CatalogError:
            raise
        except CloudtuiError as error:
            self._display.failed(error)
            self._waiting.went_down(error)
            knocking = isinstance(error, HostKeyError | AuthError)
            self._attempt += 1
            return self._pause(REFUSED_RETRY_S if knocking else backoff(self._attempt - 1))
        self._session, self._up_at = session, time.monotonic()
        return self._serve(session, fresh=True)

    def _pause(self, seconds: float) -> float:
        self._next_try = time.monotonic() + seconds
        return seconds

    def _open(self) -> Session:
        self._waiting.tried()
        self._display.connecting()
        self._era += 1
        era = self._era
        instance = self._catalog.instances.get(self._instance_id)
        if instance.is_gone:
            # Its address may be a stranger's. What has vanished may come back, with what was followed there.
            if instance.cloud_state != VANISHED:
                self._followers.clear()
            raise UnreachableError(f"{instance.name} is {instance.cloud_state}.", code="gone")
        transport, start = self._connect(instance)
        try:
            session = start(
                on_data=lambda stream, offset, data: self.post(Item("data", (stream, offset, data), era)),
                on_event=lambda event: self.post(Item("event", event, era)),
                on_closed=lambda error: self.post(Item("closed", error, era)),
                crew=self._crew,
            )
        except CloudtuiError:
            transport.close()
            raise
        self._catalog.instances.update(
            self._instance_id,
            machine_id=str(session.hello["machine_id"]),
            clock_offset_s=session.clock_offset,
        )
        self._waiting.came_up(session)
        return session

    # -- with one

    def _serve(self, session: Session, *, fresh: bool = False) -> float:
        """One look at what has come over it; it is dropped when it broke or nothing needs it."""
        try:
            if fresh:
                self._followers.attach(session)
            self._take_inbox(session)
            if self._followers.tick(session):
                self._waiting.rest_from_now()
            self._display.health(session)
            session.end_if_stuck()
        except CatalogError:
            self._drop(session, None)
            raise
        except CloudtuiError as error:
            self._drop(session, error)
            self._display.failed(error)
            was_good = time.monotonic() - self._up_at > STEADY_S
            self._attempt = 0 if was_good else self._attempt + 1
            return self._pause(backoff(self._attempt))
        except BaseException:  # a defect, too, leaves no session behind that nobody looks after
            self._drop(session, None)
            raise
        if self._waiting.is_over:
            self._drop(session, None)
            return 0.0
        return TICK_S if self._followers else QUIET_TICK_S

    def _drop(self, session: Session, why: CloudtuiError | None) -> None:
        self._session = None
        self._waiting.went_down(why)
        session.close()

    def _take_inbox(self, session: Session | None) -> None:
        """Handle all that has come; bytes that came together are committed together."""
        while True:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                break
            if item.era is None:
                self._take_wish(item, session)
            elif session is not None and item.era == self._era:
                self._take_news(item, session)
        if session is not None:
            self._followers.commit(session)

    def _take_wish(self, item: Item, session: Session | None) -> None:
        if item.kind == "follow" and self._followers.add(item.value) and session is not None:
            item.value.attach(session)
        elif item.kind == "hurry":
            self._followers.hurry()

    def _take_news(self, item: Item, session: Session) -> None:
        if item.kind == "data":
            self._followers.receive(*item.value)
        elif item.kind == "event":
            self._followers.take_event(item.value)
        else:
            self._followers.commit(session)
            raise item.value or UnreachableError("The link closed.")
