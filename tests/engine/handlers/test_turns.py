"""What waits for what in the engine: a question to a cloud, however long, keeps nobody from looking at it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.support.home import wait_until

from cloudtui_engine import dispatcher
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.operation import Operation, OperationState


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("question", ["provider.check", "provider.offers"])
def test_a_cloud_is_looked_at_while_another_question_to_it_is_open(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """A check that has a machine waits for what looks at its cloud find out."""
    looked = threading.Event()

    def ask(_context: Context, _operation: Operation) -> dict[str, Any]:
        assert looked.wait(10), "the look waits for the question, and the question for the look"
        return {}

    def look(_context: Context, _operation: Operation) -> dict[str, Any]:
        looked.set()
        return {}

    monkeypatch.setitem(dispatcher.HANDLERS, question, ask)
    monkeypatch.setitem(dispatcher.HANDLERS, "fleet.reconcile", look)
    asked = catalog.operations.submit(question, "toy", {})
    turns = dispatcher.Dispatcher(
        Context(catalog, catalog.paths, cast("Any", SimpleNamespace()), cast("Any", None), threading.Event())
    )
    turns.step()
    other = catalog.operations.submit("fleet.reconcile", "toy", {})
    turns.step()
    wait_until(lambda: all(catalog.operations.get(one.id).state.is_finished for one in (asked, other)))
    assert catalog.operations.get(asked.id).state is OperationState.DONE
