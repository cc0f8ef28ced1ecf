"""The contract between the engine and a store of objects (S3 and its like), beside that of clouds.

A store is found by the scheme of an address: `s3://bucket/key` is read by the entry point `s3` of the group
`cloudtui.stores`, which is loaded when such an address is used. It reads and changes nothing. How much is
read at once, what lies here already, where files go and what they may be called is the engine's. For writers
of stores: providers/WRITING.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import ClassVar

from cloudtui_providers.base import Check


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as it was when it was looked at. Its key is the bucket's word: data, whatever it holds."""

    key: str
    size: int
    tag: str
    """Changes with its content (an ETag): the same tag and size are the same bytes."""
    version: str = ""
    """The store's name of this state of it, where the bucket keeps versions and it was told."""


class ObjectStore(ABC):
    """One kind of store. It is asked by several threads at once; every method may raise any `ProviderError`.

    Made without arguments, once a process. Credentials come from the store's usual places.
    """

    scheme: ClassVar[str]
    """As in its addresses: `s3`."""
    title: ClassVar[str]

    @abstractmethod
    def find(self, bucket: str, key: str) -> StoredObject:
        """The object with exactly this key.

        Raises:
            ObjectMissing: there is none, or no such bucket.
        """

    @abstractmethod
    def below(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """All objects whose keys begin with `prefix`, page by page; none is no error.

        A page that fails raises: what was listed is never fewer than there are.

        Raises:
            ObjectMissing: there is no such bucket.
        """

    @abstractmethod
    def read(self, bucket: str, found: StoredObject, start: int) -> Generator[bytes, None, None]:
        """The bytes of an object from `start` on, in pieces, of exactly the state that was found.

        Closing it ends the request.

        Raises:
            ObjectChanged: it is another one by now.
            CloudUnreachable: the connection broke off; it can be read on from where it was.
        """

    @abstractmethod
    def check(self) -> list[Check]:
        """What is missing on this machine or in the account, permission by permission; changes nothing."""
