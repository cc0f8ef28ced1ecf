"""An operation that every engine died over is tried no more, and leaves nothing that looks alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import a_run, open_catalog

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.dispatcher import MOST_PICKUPS, Dispatcher
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs import queueing


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def died_over(catalog: Catalog, *states: RunState) -> tuple[Run, Operation]:
    """A start that engines died over, with its attempt moved through `states`."""
    run = catalog.runs.create(a_run(), [catalog.instances.ensure_local().id])
    operation = queueing.submit_start(catalog, run.id, 1)
    before = RunState.QUEUED
    for state in states:
        assert catalog.runs.move(run.id, 1, state, expected=before)
        before = state
    for _ in range(MOST_PICKUPS):
        assert catalog.operations.take(operation.id)
        catalog.operations.requeue_running()
    return run, operation


def step(catalog: Catalog) -> list[Any]:
    """One look of the dispatcher; what it has followed."""
    followed: list[Any] = []
    links = SimpleNamespace(to=lambda _id: SimpleNamespace(follow=followed.append))
    context = Context(catalog, catalog.paths, cast("Any", links), cast("Any", None), threading.Event())
    Dispatcher(context).step()
    return followed


@pytest.mark.parametrize("states", [(), (RunState.STAGING,)])
def test_a_run_that_was_not_brought_to_its_host_has_failed(
    catalog: Catalog, states: tuple[RunState, ...]
) -> None:
    run, operation = died_over(catalog, *states)
    assert step(catalog) == []
    assert catalog.operations.get(operation.id).state is OperationState.FAILED
    found = catalog.runs.get(run.id)
    assert found.status is RunState.FAILED
    assert found.reason.startswith(f"The engine died {MOST_PICKUPS} times over this.")
    assert catalog.runs.open_attempts() == []


def test_one_that_may_have_begun_is_the_hosts_to_judge(catalog: Catalog) -> None:
    run, operation = died_over(catalog, RunState.STAGING, RunState.STARTING)
    (followed,) = step(catalog)
    assert (followed.run_id, followed.number) == (run.id, 1)
    assert catalog.operations.get(operation.id).error["code"] == "engine_died"
    assert catalog.runs.get(run.id).status is RunState.STARTING
