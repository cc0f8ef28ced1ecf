"""Objects brought here: several at once, gone on with after a cut, all of the state that was looked at."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, TypeVar

from cloudtui_engine.errors import FailedError
from cloudtui_engine.fleet.means import patience
from cloudtui_engine.objects.layout import Placed
from cloudtui_engine.objects.stage import Stage
from cloudtui_providers.errors import CloudUnreachable, ProviderError, ThrottledError
from cloudtui_providers.stores import ObjectStore, StoredObject

AT_ONCE = 8
LOOKS = 3
"""Before anything came somebody may sit there and wait: it is given up after seconds."""
TRIES = 8
"""In a row without a byte, some three minutes; each that brings some begins the count anew."""
LOOK_S = 0.25
LEAVE_S = 2.0
"""So long a thread that waits for bytes is waited for at an end; it writes nothing any more."""
PASSING = (CloudUnreachable, ThrottledError)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
Answer = TypeVar("Answer")
Told = Callable[[int, int], None]
"""How many objects are whole, and how many bytes are here."""
Wait = Callable[[float], bool]
"""Let seconds pass; true: do not go on."""


def patiently(question: Callable[[], Answer], wait: Wait) -> Answer:
    """The answer to what may be asked again while the store cannot be reached, or wants to be left alone."""
    for tries in range(1, LOOKS):
        try:
            return question()
        except PASSING as error:
            if wait(patience(tries, error)):
                raise
    return question()


class Fetching:
    """The bytes of some objects on their way here.

    Args:
        store: where they are.
        bucket: of it.
        stage: where they go.
        files: all of them.
    """

    def __init__(self, store: ObjectStore, bucket: str, stage: Stage, files: Sequence[Placed]) -> None:
        self._store, self._bucket, self._stage = store, bucket, stage
        self._lock = threading.Lock()
        self._stop, self._over = threading.Event(), threading.Event()
        held = [(one.found, stage.held(one.found)) for one in files]
        self._left = [found for found, here in held if not stage.whole(found).exists()]
        self.bytes = sum(here for _, here in held)
        self._count, self._working = len(files), 0
        self.whole = self._count - len(self._left)
        self._failed: Exception | None = None
        self.trouble = ""
        """Why nothing comes at the moment, a sentence; empty: it does."""

    def run(self, told: Told) -> None:
        """Fetch what is missing; what came stays for the next time, however this one ends.

        Args:
            told: called again and again in this thread; what it raises ends it all.

        Raises:
            ProviderError: the store will not, or cannot be reached for too long.
            FailedError: the disk is full.
        """
        queue = iter(self._left)
        self._working = min(AT_ONCE, len(self._left))
        workers = [
            threading.Thread(target=self._work, args=(queue,), name="object", daemon=True)
            for _ in range(self._working)
        ]
        try:
            for worker in workers:
                worker.start()
            while workers and not self._over.wait(LOOK_S):
                told(self.whole, self.bytes)
        finally:
            self._stop.set()
            for worker in workers:
                worker.join(LEAVE_S)
        if self._failed is not None:
            raise self._failed
        if self.whole < self._count:
            raise FailedError("Not all objects came: a defect of the store.", "The engine's log says more.")
        told(self.whole, self.bytes)

    def _work(self, queue: Iterator[StoredObject]) -> None:
        try:
            self._bring_all(queue)
        finally:
            with self._lock:
                self._working -= 1
                if not self._working or self._failed is not None:
                    self._over.set()

    def _bring_all(self, queue: Iterator[StoredObject]) -> None:
        while not self._stop.is_set():
            with self._lock:
                found = next(queue, None)
            if found is None:
                return
            try:
                self._bring(found)
            except (ProviderError, FailedError, OSError) as error:
                with self._lock:
                    self._failed = self._failed or _told(error)
                self._stop.set()

    def _bring(self, found: StoredObject) -> None:
        """One object, whole; or as far as it came before somebody stopped it."""
        part = self._stage.part(found)
        with part.open("ab") as out:
            if out.tell() > found.size:
                out.truncate(0)
            tries = 0
            while out.tell() < found.size:
                before = out.tell()
                try:
                    self._read_on(found, out)
                except PASSING as error:
                    tries = 1 if out.tell() > before else tries + 1
                    if tries >= TRIES:
                        raise
                    self.trouble = error.message
                    self._stop.wait(patience(tries, error))
                if self._stop.is_set():
                    return
        part.replace(self._stage.whole(found))
        with self._lock:
            self.whole += 1

    def _read_on(self, found: StoredObject, out: BinaryIO) -> None:
        with closing(self._store.read(self._bucket, found, out.tell())) as pieces:
            for piece in pieces:
                if self._stop.is_set():
                    return
                if out.tell() + len(piece) > found.size:
                    raise ProviderError("The store sends more than the object has.", "Try again later.")
                out.write(piece)
                with self._lock:
                    self.bytes += len(piece)
                    self.trouble = ""
        if out.tell() < found.size:
            raise CloudUnreachable("The store ended its answer before the object's end.")


def _told(error: Exception) -> Exception:
    if isinstance(error, OSError):
        if error.errno in _FULL:
            return FailedError(
                "The disk is full.", "Free some space, then add it again: it goes on from there."
            )
        return FailedError(f"Cannot write what is fetched: {error.strerror or error}.")
    return error
