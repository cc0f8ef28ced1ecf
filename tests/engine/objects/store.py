"""A store of objects in memory, and how it misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator

from cloudtui_providers.base import Check
from cloudtui_providers.errors import CloudUnreachable, ObjectChanged, ObjectMissing
from cloudtui_providers.stores import ObjectStore, StoredObject

PIECE = 1000


class FakeStore(ObjectStore):
    """All objects are of one bucket, `b`."""

    scheme = "s3"
    title = "a fake"

    def __init__(self, **objects: bytes) -> None:
        self.objects: dict[str, bytes] = dict(objects)
        self.read_from: list[tuple[str, int]] = []
        self.cuts = 0
        """So many times more an answer breaks off after a piece."""
        self.refuses: list[Exception] = []
        """Raised by the next looks, the first first."""
        self.before: Callable[[str, int], None] = lambda _key, _at: None
        """Called before each piece."""
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def find(self, bucket: str, key: str) -> StoredObject:
        self._look(bucket)
        if key not in self.objects:
            raise ObjectMissing(f"There is no such object: s3://{bucket}/{key}")
        return self._told(key)

    def below(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self._look(bucket)
        yield from (self._told(key) for key in sorted(self.objects) if key.startswith(prefix))

    def read(self, bucket: str, found: StoredObject, start: int) -> Generator[bytes, None, None]:
        with self._lock:
            self.read_from.append((found.key, start))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield from self._pieces(found, start)
        finally:
            with self._lock:
                self.at_once -= 1

    def check(self) -> list[Check]:
        return []

    def _pieces(self, found: StoredObject, start: int) -> Iterator[bytes]:
        for at in range(start, found.size, PIECE):
            self.before(found.key, at)
            if self._told(found.key) != found:
                raise ObjectChanged("It is another one.")
            yield self.objects[found.key][at : at + PIECE]
            if self.cuts:
                self.cuts -= 1
                raise CloudUnreachable("It broke off.")

    def _look(self, bucket: str) -> None:
        if self.refuses:
            raise self.refuses.pop(0)
        if bucket != "b":
            raise ObjectMissing(f"There is no such bucket: s3://{bucket}/")

    def _told(self, key: str) -> StoredObject:
        content = self.objects[key]
        return StoredObject(key, len(content), f'"{hash(content):x}"', "v1")
