"""Requests under way: who waits for which reply."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.hosts import replies


class Pending:
    """Futures by request id; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[int, Future[dict[str, Any]]] = {}
        self._last = 0
        self._ended: CloudtuiError | None = None

    def number(self) -> int:
        """A fresh id, for a request whose reply the caller takes itself."""
        with self._lock:
            self._last += 1
            return self._last

    def enlist(self) -> tuple[int, Future[dict[str, Any]]]:
        """A fresh id and the future of its reply.

        Raises:
            CloudtuiError: no reply will come any more; the reason.
        """
        future: Future[dict[str, Any]] = Future()
        number = self.number()
        with self._lock:
            if self._ended is not None:
                raise self._ended
            self._futures[number] = future
        return number, future

    def drop(self, number: int) -> None:
        """Nobody waits for this reply any more."""
        with self._lock:
            self._futures.pop(number, None)

    def take(self, number: int, message: Mapping[str, Any]) -> None:
        """A reply that came; one that nobody waits for is dropped."""
        with self._lock:
            future = self._futures.pop(number, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        result = message.get("result")
        if message.get("ok") is True and isinstance(result, dict):
            future.set_result(result)
        else:
            future.set_exception(replies.error(message.get("error")))

    def end(self, reason: CloudtuiError) -> None:
        """Whoever waits, now or later, gets `reason`."""
        with self._lock:
            self._ended = reason
            waiting, self._futures = self._futures, {}
        for future in waiting.values():
            if future.set_running_or_notify_cancel():
                future.set_exception(reason)
