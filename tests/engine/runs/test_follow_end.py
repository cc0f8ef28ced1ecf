"""The end of an attempt, from the host's word on it to what the catalog says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import create, line, open_catalog, store

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.deciders import decide
from cloudtui_engine.records.host_status import HostStatus
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs import upkeep
from cloudtui_engine.runs.follow import AttemptFollower


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def end(catalog: Catalog, run: Run, code: int) -> Run:
    status = HostStatus("exited", code=code, ended_at=time.time())
    AttemptFollower(catalog, catalog.runs.attempt(run.id, 1))._finish(status, 0.0)
    return catalog.runs.get(run.id)


def running(catalog: Catalog) -> Run:
    run = create(catalog)
    for before, after in ((RunState.QUEUED, RunState.STAGING), (RunState.STAGING, RunState.STARTING)):
        assert catalog.runs.move(run.id, 1, after, expected=before)
    return catalog.runs.get(run.id)


def test_what_a_run_left_is_asked_for_again_once_its_machine_is_back(catalog: Catalog) -> None:
    run = running(catalog)
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "b" * 64)])
    upkeep.abandon(catalog, run)
    assert decide(catalog) == 1
    (vain,) = catalog.operations.pending()
    catalog.operations.fail(vain.id, {"code": "unreachable", "message": "Gone.", "hint": ""})
    assert decide(catalog) == 0
    for _ in range(2):
        assert end(catalog, run, 0).status is RunState.SUCCEEDED
    (again,) = catalog.operations.pending()
    assert (again.kind, again.target, again.args) == ("run.pull", run.id, {"attempt": 1})


@pytest.mark.parametrize("more", ["", " It says so at length." * 20])
def test_what_a_job_printed_last_is_not_said_twice(catalog: Catalog, more: str) -> None:
    message = f"There is no model for that.{more}"
    run = running(catalog)
    store(catalog, run, line("done", reason="failed", message=message))
    store(catalog, run, f"loading\n{message}\n".encode(), name="console")
    assert end(catalog, run, 1).reason.count("There is no model for that.") == 1


def test_what_a_job_printed_last_says_why_it_failed(catalog: Catalog) -> None:
    run = running(catalog)
    store(catalog, run, b"No such file: data.csv\n", name="console")
    assert end(catalog, run, 2).reason == "It exited with status 2. No such file: data.csv"
