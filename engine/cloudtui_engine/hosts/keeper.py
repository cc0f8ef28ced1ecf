"""What the thread of a host does: have a session for as long as there is a need, and store what comes.

All journal bytes of a host pass through its thread: what came together is one round of commits.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import AuthError, CatalogError, CloudtuiError, HostKeyError, UnreachableError
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
    """Something for the host's thread; `era` tells which session it came from, None for what people ask."""

    kind: str
    value: Any = None
    era: int | None = None


class Keeper:
    """One host's sessions, one after the other. `keep_up` belongs to its thread."""

    def __init__(
        self,
        catalog: Catalog,
        instance_id: str,
        connect: Connect,
        *,
        waiting: Waiting,
        followers: Followers,
        inbox: queue.SimpleQueue[Item],
        seen: Seen,
    ) -> None:
        self._catalog = catalog
        self._instance_id = instance_id
        self._connect = connect
        self._waiting = waiting
        self._followers = followers
        self._inbox = inbox
        self._display = LinkDisplay(catalog, instance_id, followers, seen)
        self._era = 0

    def keep_up(self) -> None:
        """Have a session until there is no need any more.

        Raises:
            CatalogError: what came could not be stored; none of it was acknowledged.
        """
        attempt = 0
        while True:
            self._take_inbox(None, 0)
            if self._waiting.is_over:
                break
            try:
                session = self._open()
            except CatalogError:
                raise
            except CloudtuiError as error:
                self._display.failed(error)
                self._waiting.went_down(error)
                knocking = isinstance(error, HostKeyError | AuthError)
                self._waiting.pause(REFUSED_RETRY_S if knocking else backoff(attempt))
                attempt += 1
                continue
            begun = time.monotonic()
            if self._serve(session):
                break
            attempt = 0 if time.monotonic() - begun > STEADY_S else attempt + 1
            self._waiting.pause(backoff(attempt))
        self._display.rest()

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
                on_data=lambda stream, offset, data: self._inbox.put(
                    Item("data", (stream, offset, data), era)
                ),
                on_event=lambda event: self._inbox.put(Item("event", event, era)),
                on_closed=lambda error: self._inbox.put(Item("closed", error, era)),
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

    def _serve(self, session: Session) -> bool:
        """Until the session breaks, or nothing needs it: then True."""
        ending: CloudtuiError | None = None
        try:
            self._followers.attach(session)
            while not self._waiting.is_over:
                self._take_inbox(session, TICK_S if self._followers else QUIET_TICK_S)
                if self._followers.tick(session):
                    self._waiting.rest_from_now()
                self._display.health(session)
        except CatalogError:
            raise
        except CloudtuiError as error:
            ending = error
        finally:
            self._waiting.went_down(ending)
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
