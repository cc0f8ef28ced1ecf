"""The store of these tests keeps the contract of all stores."""

from __future__ import annotations

import pytest
from tests.engine.objects.store import FakeStore
from tests.providers.store_contract import OBJECTS, Held, StoreContract


class TestFakeStore(StoreContract):
    @pytest.fixture
    def held(self) -> Held:
        store = FakeStore()
        store.objects |= OBJECTS

        def cut(_after: int) -> None:
            store.cuts = 1

        return Held(store, lambda key, content: store.objects.update({key: content}), cut)
