"""What every store of objects promises: a suite for yours, too.

A store under test is a fixture `held`: a `Held`, with the objects `a`, `in/b` and `in/c/d` in the bucket `b`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cloudtui_providers.errors import CloudUnreachable, ObjectChanged, ObjectMissing
from cloudtui_providers.stores import ObjectStore, StoredObject

CONTENT = bytes(range(256)) * 40
OBJECTS = {"a": CONTENT, "in/b": b"", "in/c/d": b"d" * 3000}


@dataclass(frozen=True)
class Held:
    """A store, and what a test has to be able to do to what is behind it."""

    store: ObjectStore
    change: Callable[[str, bytes], None]
    """Put other bytes there."""
    cut: Callable[[int], None]
    """Break the next body off after so many bytes; at least one of them comes."""


class StoreContract:
    """Derive from it, and give the fixture."""

    def test_one_is_found_by_its_whole_key(self, held: Held) -> None:
        found = held.store.find("b", "in/c/d")
        assert (found.key, found.size) == ("in/c/d", 3000)
        assert found.tag
        assert held.store.find("b", "in/b").size == 0
        for bucket, key in (("b", "in"), ("b", "in/"), ("b", "none"), ("none", "a")):
            with pytest.raises(ObjectMissing):
                held.store.find(bucket, key)

    def test_all_below_a_prefix_are_listed_as_they_are_found(self, held: Held) -> None:
        listed = list(held.store.below("b", "in/"))
        assert [(one.key, one.size) for one in listed] == [("in/b", 0), ("in/c/d", 3000)]
        assert [one.tag for one in listed] == [held.store.find("b", one.key).tag for one in listed]
        assert [one.key for one in held.store.below("b", "")] == sorted(OBJECTS)
        assert list(held.store.below("b", "none/")) == []
        with pytest.raises(ObjectMissing):
            list(held.store.below("none", ""))

    def test_it_is_read_from_any_byte_on(self, held: Held) -> None:
        for key, content in OBJECTS.items():
            assert self._whole(held, held.store.find("b", key)) == content
        found = held.store.find("b", "a")
        assert self._whole(held, found, 777) == CONTENT[777:]
        listed = next(one for one in held.store.below("b", "a") if one.key == "a")
        assert self._whole(held, listed) == CONTENT

    def test_nothing_of_another_state_is_read(self, held: Held) -> None:
        found = held.store.find("b", "a")
        held.change("a", CONTENT[::-1])
        for start in (0, 777):
            with pytest.raises(ObjectChanged):
                self._whole(held, found, start)
        assert held.store.find("b", "a").tag != found.tag

    def test_what_came_before_a_cut_is_given_and_the_rest_can_be_read(self, held: Held) -> None:
        found = held.store.find("b", "a")
        held.cut(5000)
        came: list[bytes] = []
        with pytest.raises(CloudUnreachable):
            came.extend(held.store.read("b", found, 0))
        begun = b"".join(came)
        assert begun
        assert begun + self._whole(held, found, len(begun)) == CONTENT

    def test_a_read_that_is_left_ends(self, held: Held) -> None:
        pieces = held.store.read("b", held.store.find("b", "a"), 0)
        assert next(pieces)
        pieces.close()
        assert list(pieces) == []

    def test_what_is_missing_is_a_list(self, held: Held) -> None:
        assert all(one.name and one.text for one in held.store.check())

    def _whole(self, held: Held, found: StoredObject, start: int = 0) -> bytes:
        return b"".join(held.store.read("b", found, start))
