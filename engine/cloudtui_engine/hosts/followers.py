"""What is followed over a host's session: who gets which bytes, and when they are stored."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

from cloudtui_engine.hosts.session import Session

Key = tuple[str, int]
"""A run's id and an attempt's number."""


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


class Followers:
    """The followers of one host, changed by its thread; `runs`, `confirmed` and `bool` are for all."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Follower] = {}
        self._lock = threading.Lock()
        self._fresh: set[Follower] = set()

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def runs(self) -> set[str]:
        """The ids of the runs that are followed."""
        with self._lock:
            return {run_id for run_id, _ in self._by_key}

    def confirmed(self) -> Mapping[Key, int]:
        """How often each was stored up to the host's word."""
        with self._lock:
            return {key: follower.confirmed for key, follower in self._by_key.items()}

    def add(self, follower: Follower) -> bool:
        """Follow it too; False where this attempt is followed already."""
        with self._lock:
            return self._by_key.setdefault((follower.run_id, follower.number), follower) is follower

    def clear(self) -> None:
        """Follow none any more: there is nothing to be read."""
        with self._lock:
            self._by_key.clear()
        self._fresh.clear()

    def attach(self, session: Session) -> None:
        """Go on with all over a fresh session."""
        self._fresh.clear()
        for follower in list(self._by_key.values()):
            follower.attach(session)

    def receive(self, stream: int, offset: int, data: bytes) -> None:
        """Give bytes to whose they are."""
        for follower in self._by_key.values():
            if follower.owns(stream):
                follower.receive(stream, offset, data)
                self._fresh.add(follower)
                return

    def commit(self, session: Session) -> None:
        """Store what came since the last time."""
        for follower in self._fresh:
            follower.commit(session)
        self._fresh.clear()

    def take_event(self, event: Mapping[str, Any]) -> None:
        """What the host tells of a journal."""
        stream = event.get("stream")
        if event.get("event") == "rewritten" and isinstance(stream, int):
            for follower in self._by_key.values():
                if follower.owns(stream):
                    follower.alarm(stream, "It became shorter.")

    def hurry(self) -> None:
        """Have all ask for the host's word now."""
        for follower in self._by_key.values():
            follower.hurry()

    def tick(self, session: Session) -> bool:
        """Let each look; True when one of them has come to its end and was dropped."""
        ended = False
        for key, follower in list(self._by_key.items()):
            follower.tick(session)
            if follower.finished:
                with self._lock:
                    del self._by_key[key]
                ended = True
        return ended
