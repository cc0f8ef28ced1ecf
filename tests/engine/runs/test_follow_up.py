"""What follows a training: one job after another, queued with its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import finish, open_catalog

from cloudtui_engine.catalog import Catalog, RunQuery
from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs import commands, follow_up, lineage

JOBS = RunQuery(kinds=("evaluate", "compress"), sort="created")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def trained(catalog: Catalog, *, test: int = 3) -> Run:
    """A training with all that follows, ended well."""
    splits = {"train": 5, "test": test}
    dataset = catalog.datasets.add(Dataset(new_id(), "digits", 1, "image", "d" * 64, 10, splits, ("0", "1")))
    run = commands.start_training(
        catalog,
        dataset=dataset,
        instances=[catalog.instances.ensure_local()],
        params={},
        then=follow_up.plan(["evaluate", "compress"], 3.0),
    )
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "b" * 64)])
    end(catalog, run)
    return run


def end(catalog: Catalog, run: Run) -> Run | None:
    finish(catalog, run.id)
    attempt = catalog.runs.attempt(run.id, 1)
    with catalog.write("run"):
        lineage.register(catalog, attempt, RunState.SUCCEEDED)
        return follow_up.begin(catalog, attempt, RunState.SUCCEEDED)


def test_one_job_follows_the_other(catalog: Catalog) -> None:
    trained(catalog)
    (judged,) = catalog.runs.list(JOBS)
    assert (judged.kind, judged.status) == ("evaluate", RunState.QUEUED)
    shrunk = end(catalog, catalog.runs.get(judged.id))
    assert shrunk is not None
    assert (shrunk.kind, shrunk.params, shrunk.model_id) == ("compress", {"max_drop": 3.0}, judged.model_id)
    assert [one.kind for one in catalog.operations.open_for(shrunk.id)] == ["run.start"]
    assert end(catalog, shrunk) is None
    assert len(catalog.runs.list(JOBS)) == 2


def test_nothing_follows_what_did_not_succeed(catalog: Catalog) -> None:
    run = trained(catalog)
    before = len(catalog.runs.list(JOBS))
    for state in (RunState.FAILED, RunState.STOPPED, RunState.LOST):
        assert follow_up.begin(catalog, catalog.runs.attempt(run.id, 1), state) is None
    assert len(catalog.runs.list(JOBS)) == before


def test_it_follows_once_though_an_older_attempt_proves_to_have_succeeded(catalog: Catalog) -> None:
    run = commands.start_training(
        catalog,
        dataset=catalog.datasets.add(Dataset(new_id(), "digits", 1, "image", "d" * 64, 10, {}, ("0", "1"))),
        instances=[catalog.instances.ensure_local()],
        params={},
        then=follow_up.plan(["evaluate"], 3.0),
    )
    finish(catalog, run.id, 1, RunState.LOST)
    run = commands.resume(catalog, catalog.runs.get(run.id))
    for number in (1, 2):
        catalog.runs.add_artifacts(run.id, number, [("model.onnx", "onnx", 5, "b" * 64)])
    found = []
    for number in (2, 1):
        attempt = catalog.runs.attempt(run.id, number)
        with catalog.write("run"):
            lineage.register(catalog, attempt, RunState.SUCCEEDED)
            found.append(follow_up.begin(catalog, attempt, RunState.SUCCEEDED))
    assert [one is not None for one in found] == [True, False]
    assert len(catalog.runs.list(JOBS)) == 1


def test_what_cannot_follow_is_told_on_the_run_that_asked(catalog: Catalog) -> None:
    run = trained(catalog, test=0)
    assert catalog.runs.list(JOBS) == []
    (event,) = [one for one in catalog.events.list(run.id) if one.name == "not_followed"]
    assert event.text.startswith("Evaluate could not follow: ")
    assert "has no split 'test'" in event.text


def test_what_cannot_follow_is_refused_before_the_training(catalog: Catalog) -> None:
    manifest = {"target": {"name": "y", "kind": "number"}}
    dataset = catalog.datasets.add(Dataset(new_id(), "d", 1, "tabular", "d" * 64, 10, {}, (), manifest))

    def start(*jobs: str) -> Run:
        then = follow_up.plan(jobs, 3.0)
        local = catalog.instances.ensure_local()
        return commands.start_training(catalog, dataset=dataset, instances=[local], params={}, then=then)

    with pytest.raises(RefusedError, match="a number to predict"):
        start("evaluate", "compress")
    assert start("evaluate").spec["then"] == [{"job": "evaluate"}]
    for points in (float("nan"), 0.0, 900.0):
        assert follow_up.plan(["evaluate"], points) == [{"job": "evaluate"}]
        with pytest.raises(UsageError, match="--max-drop"):
            follow_up.plan(["compress"], points)


def test_only_jobs_on_models_can_follow() -> None:
    with pytest.raises(UsageError, match="Nothing called 'deploy' can follow"):
        follow_up.plan(["deploy"], 0.5)
