"""Jobs on models as rows: what may be asked for, what is refused, what their ends leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import create, finish, line, open_catalog, store

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import NotFoundError, RefusedError, UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.operation import OperationState
from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs import commands, lineage, upkeep


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def digits(catalog: Catalog) -> Dataset:
    return catalog.datasets.add(
        Dataset(new_id(), "digits", 1, "image", "d" * 64, 10, {"train": 5, "test": 3}, ("0", "1"))
    )


@pytest.fixture
def model(catalog: Catalog, digits: Dataset) -> Model:
    run = create(catalog, "cnn", task="image", model="resnet", dataset_id=digits.id)
    files = [("model.safetensors", "weights", 5, "a" * 64), ("model.onnx", "onnx", 5, "b" * 64)]
    catalog.runs.add_artifacts(run.id, 1, files)
    finish(catalog, run.id)
    return catalog.models.register(run.id, 1)


def test_an_evaluation_is_a_queued_job_on_the_model(catalog: Catalog, digits: Dataset, model: Model) -> None:
    local = catalog.instances.ensure_local()
    run = commands.start_evaluation(catalog, model=model, dataset=digits, instance=local, split="train")
    assert (run.kind, run.name, run.model, run.model_id, run.spec["split"]) == (
        "evaluate", "cnn-evaluate-1", "cnn@1", model.id, "train",
    )  # fmt: skip
    assert [one.kind for one in catalog.operations.open_for(run.id)] == ["run.start"]
    again = commands.again(catalog, run)
    assert (again.kind, again.model_id, again.name) == ("evaluate", model.id, "cnn-evaluate-2")


def test_a_compression_says_how_much_may_be_lost(catalog: Catalog, digits: Dataset, model: Model) -> None:
    local = catalog.instances.ensure_local()
    run = commands.start_compression(
        catalog, model=model, dataset=digits, instance=local, max_drop=3, params={"epochs": 1}
    )
    assert (run.kind, run.params, run.spec["pull"]) == ("compress", {"epochs": 1, "max_drop": 3}, "best")


def test_what_cannot_be_judged_is_refused(catalog: Catalog, digits: Dataset, model: Model) -> None:
    local = catalog.instances.ensure_local()
    table = replace(digits, task="tabular", name="adult")
    numbers = replace(digits, manifest={"target": {"kind": "number"}})

    def code(model: Model, dataset: Dataset) -> str:
        with pytest.raises(RefusedError) as refused:
            commands.start_compression(catalog, model=model, dataset=dataset, instance=local)
        assert refused.value.hint
        return refused.value.code

    assert code(model, table) == "incompatible"
    assert code(model, numbers) == "regression"
    with pytest.raises(RefusedError, match="diabetes has a number"):
        commands.start_compression(
            catalog, model=model, dataset=replace(numbers, name="diabetes"), instance=local
        )
    assert code(replace(model, variant="int8", parent="cnn@1"), digits) == "is_variant"
    assert code(replace(model, files=()), digits) == "no_files"
    for most in (-1.0, 101.0, float("nan")):
        with pytest.raises(UsageError):
            commands.start_compression(catalog, model=model, dataset=digits, instance=local, max_drop=most)
    with pytest.raises(UsageError, match="validation"):
        commands.start_evaluation(catalog, model=model, dataset=digits, instance=local, split="validation")
    assert [one.id for one in catalog.runs.list()] == [model.run_id]


def test_a_training_begins_from_weights_of_the_same_architecture(
    catalog: Catalog, digits: Dataset, model: Model
) -> None:
    local = [catalog.instances.ensure_local()]
    run = commands.start_training(catalog, dataset=digits, instances=local, params={}, weights=model)
    assert (run.model, run.model_id, run.spec["pull"]) == ("resnet", model.id, "best")
    finish(catalog, run.id)
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "c" * 64)])
    lineage.register(catalog, catalog.runs.attempt(run.id, 1), RunState.SUCCEEDED)
    assert [one.parent for one in catalog.models.of_run(run.id)] == ["cnn@1"]
    with pytest.raises(RefusedError, match=r"no model\.safetensors"):
        commands.start_training(
            catalog, dataset=digits, instances=local, params={}, weights=replace(model, files=model.files[:1])
        )
    with pytest.raises(UsageError, match="pull policy"):
        commands.start_training(catalog, dataset=digits, instances=local, params={}, pull="some")
    table = replace(digits, task="tabular", name="adult")
    with pytest.raises(RefusedError, match="adult is tabular data"):
        commands.start_training(catalog, dataset=table, instances=local, params={}, weights=model)
    with pytest.raises(UsageError, match="adult is tabular data, not image"):
        commands.start_training(catalog, dataset=table, instances=local, params={}, task="image")


def test_only_decent_folders_of_a_compression_become_variants(
    catalog: Catalog, digits: Dataset, model: Model
) -> None:
    local = catalog.instances.ensure_local()
    run = commands.start_compression(catalog, model=model, dataset=digits, instance=local)
    names = (
        "model.onnx", "int8/model.onnx", "int8/deep/model.onnx", "int8/other.onnx", "other/notes.onnx",
        "-odd/model.onnx", "x" * 61 + "/model.onnx", "text/model.txt",
    )  # fmt: skip
    kinds = {"text/model.txt": "text"}
    catalog.runs.add_artifacts(run.id, 1, [(name, kinds.get(name, "onnx"), 1, "e" * 64) for name in names])
    attempt = catalog.runs.attempt(run.id, 1)
    lineage.register(catalog, attempt, RunState.FAILED)
    assert catalog.models.of_run(run.id) == []
    for _ in range(2):
        lineage.register(catalog, attempt, RunState.SUCCEEDED)
    assert [(one.name, one.parent_id) for one in catalog.models.of_run(run.id)] == [("cnn-int8", model.id)]


def test_an_evaluation_leaves_no_model(catalog: Catalog, digits: Dataset, model: Model) -> None:
    local = catalog.instances.ensure_local()
    run = commands.start_evaluation(catalog, model=model, dataset=digits, instance=local)
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "c" * 64)])
    lineage.register(catalog, catalog.runs.attempt(run.id, 1), RunState.SUCCEEDED)
    assert catalog.models.of_run(run.id) == []


def test_the_policy_holds_where_the_journal_tells_of_files(catalog: Catalog, digits: Dataset) -> None:
    local = [catalog.instances.ensure_local()]
    run = commands.start_training(catalog, dataset=digits, instances=local, params={}, pull_max=10)
    told = [("model.onnx", 8), ("model.safetensors", 8), ("notes.txt", 1)]
    for seq, (name, size) in enumerate(told):
        store(catalog, run, line("artifact", seq, name=name, size_bytes=size, sha256=f"{seq}" * 64))
    assert {one.name: one.wanted for one in catalog.runs.artifacts(run.id, 1)} == {
        "model.onnx": True, "model.safetensors": False, "notes.txt": False,
    }  # fmt: skip


def test_pulling_what_was_left_is_an_operation_an_attempt(catalog: Catalog) -> None:
    run = create(catalog)
    with pytest.raises(RefusedError):
        upkeep.pull(catalog, run)
    catalog.runs.add_artifacts(
        run.id, 1, [("a", "file", 1, "a" * 64), ("b", "file", 1, "b" * 64)], left={"a"}
    )
    finish(catalog, run.id)
    catalog.runs.mark_pulled(run.id, 1, "b")
    run = catalog.runs.get(run.id)
    with pytest.raises(NotFoundError, match="'c'"):
        upkeep.pull(catalog, run, ["c"])
    here = catalog.paths.file("b" * 64)
    here.parent.mkdir(parents=True)
    here.write_bytes(b"b")
    assert upkeep.pull(catalog, run, ["b"]) == []
    (asked,) = upkeep.pull(catalog, run)
    assert (asked.kind, asked.args) == ("run.pull", {"attempt": 1})
    assert catalog.runs.unpulled() == [(run.id, 1)]


def test_what_is_gone_from_this_disk_is_fetched_again(catalog: Catalog) -> None:
    run = create(catalog)
    catalog.runs.add_artifacts(run.id, 1, [("b", "file", 1, "b" * 64)])
    finish(catalog, run.id)
    catalog.runs.mark_pulled(run.id, 1, "b")
    assert catalog.runs.unpulled() == []
    (asked,) = upkeep.pull(catalog, catalog.runs.get(run.id))
    assert asked.kind == "run.pull"
    assert [one.local for one in catalog.runs.artifacts(run.id, 1)] == [None]


def test_giving_up_is_for_what_is_on_a_machine(catalog: Catalog) -> None:
    run = create(catalog)
    with pytest.raises(RefusedError) as refused:
        upkeep.abandon(catalog, run)
    assert refused.value.code == "not_there"
    for before, after in (("queued", "staging"), ("staging", "starting"), ("starting", "running")):
        catalog.runs.move(run.id, 1, RunState(after), expected=RunState(before))
    asked = catalog.operations.submit("run.stop", run.id, {"attempt": 1})
    upkeep.abandon(catalog, catalog.runs.get(run.id))
    run = catalog.runs.get(run.id)
    assert run.status is RunState.LOST
    assert catalog.operations.get(asked.id).state is OperationState.CANCELLED
    assert "run import --from" in run.reason
    with pytest.raises(RefusedError) as refused:
        upkeep.abandon(catalog, run)
    assert refused.value.code == "not_live"


def test_a_stopping_run_is_waited_for_before_it_is_resumed(catalog: Catalog) -> None:
    run = create(catalog)
    with pytest.raises(RefusedError) as live:
        commands.resume(catalog, run)
    assert live.value.hint == "Stop it first."
    with pytest.raises(RefusedError) as stopping:
        commands.resume(catalog, replace(run, status=RunState.STOPPING))
    assert stopping.value.hint == "Wait for its end."
