"""Variants, evaluations and compressions of models, and files that stay on their host."""

from __future__ import annotations

from tests.engine.catalog.helpers import create, finish

from cloudtui_engine.catalog import Catalog, RunQuery
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState


def trained(catalog: Catalog, name: str = "cnn", accuracy: float = 0.9) -> Model:
    run = create(catalog, name, task="image", model="resnet")
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "a" * 64)])
    catalog.runs.add_report(run.id, 1, "evaluation/test", 1.0, {"accuracy": accuracy})
    finish(catalog, run.id)
    return catalog.models.register(run.id, 1)


def job(catalog: Catalog, kind: str, model: Model, name: str = "job") -> Run:
    return create(catalog, name, kind=kind, model=model.label, model_id=model.id)


def test_lists_leave_the_jobs_of_models_out(catalog: Catalog) -> None:
    model = trained(catalog)
    made = job(catalog, "compress", model)
    create(catalog, "script", kind="script")
    assert [run.name for run in catalog.runs.list()] == ["script", "cnn"]
    assert catalog.runs.count() == 2
    assert [run.name for run in catalog.runs.list(RunQuery(kinds=None))] == ["script", "job", "cnn"]
    (found,) = catalog.runs.list(RunQuery(kinds=("compress",)))
    assert (found.id, found.kind, found.model_id) == (made.id, "compress", model.id)
    assert catalog.runs.find("job").id == made.id


def test_a_variant_is_a_model_of_its_own_with_its_folder_s_files(catalog: Catalog) -> None:
    model = trained(catalog)
    run = job(catalog, "compress", model)
    files = [
        ("int8/model.onnx", "onnx", 2, "b" * 64),
        ("int8-pruned/model.onnx", "onnx", 1, "c" * 64),
        ("report.json", "report", 1, "d" * 64),
    ]
    catalog.runs.add_artifacts(run.id, 1, files)
    entries = [{"id": "int8", "split": "test", "accuracy": 0.8, "validation": {"accuracy": 0.7}}]
    catalog.runs.add_report(run.id, 1, "compression", 2.0, {"variants": entries})
    first = catalog.models.register(run.id, 1, variant="int8", parent_id=model.id)
    again = catalog.models.register(run.id, 1, variant="int8", parent_id=model.id)
    other = catalog.models.register(run.id, 1, variant="int8-pruned", parent_id=model.id)
    assert first == again
    assert (first.label, first.parent, first.task, first.architecture) == (
        "cnn-int8@1", "cnn@1", "image", "resnet",
    )  # fmt: skip
    assert [(file.name, file.size_bytes) for file in first.files] == [("model.onnx", 2)]
    assert first.metrics == {"test/accuracy": 0.8, "validation/accuracy": 0.7}
    assert (other.name, other.metrics) == ("cnn-int8-pruned", {})
    assert [one.id for one in catalog.models.children(model.id)] == [other.id, first.id]
    assert [one.id for one in catalog.models.of_run(run.id)] == [other.id, first.id]
    assert catalog.models.find("cnn-int8").id == first.id
    second = job(catalog, "compress", model)
    assert catalog.models.register(second.id, 1, variant="int8", parent_id=model.id).version == 2


def test_evaluations_are_those_of_the_training_and_those_asked_for(catalog: Catalog) -> None:
    model, other = trained(catalog), trained(catalog, "other", 0.1)
    asked = job(catalog, "evaluate", model)
    catalog.runs.add_report(asked.id, 1, "evaluation/validation", 5.0, {"accuracy": 0.5})
    catalog.runs.add_report(asked.id, 1, "notes", 6.0, {})
    shrunk = job(catalog, "compress", model)
    catalog.runs.add_report(shrunk.id, 1, "evaluation/test", 7.0, {"accuracy": 0.2})
    small = catalog.models.register(shrunk.id, 1, variant="int8", parent_id=model.id)
    assert catalog.models.evaluations(small.id) == []
    found = catalog.models.evaluations(model.id)
    assert [(one.model, one.split, one.t, one.report) for one in found] == [
        ("cnn@1", "validation", 5.0, {"accuracy": 0.5}),
        ("cnn@1", "test", 1.0, {"accuracy": 0.9}),
    ]
    assert {one.model_id for one in catalog.models.evaluations()} == {model.id, other.id}
    assert len(catalog.models.evaluations(limit=1)) == 1
    catalog.runs.delete(asked.id, 9.0)
    assert [one.split for one in catalog.models.evaluations(model.id)] == ["test"]


def test_of_several_attempts_the_newest_report_counts(catalog: Catalog) -> None:
    model = trained(catalog)
    asked = job(catalog, "evaluate", model)
    catalog.runs.add_report(asked.id, 1, "evaluation/test", 5.0, {"accuracy": 0.5})
    finish(catalog, asked.id, state=RunState.FAILED)
    catalog.runs.add_attempt(asked.id, [catalog.instances.ensure_local().id], 6.0)
    catalog.runs.add_report(asked.id, 2, "evaluation/test", 7.0, {"accuracy": 0.6})
    assert [one.report["accuracy"] for one in catalog.models.evaluations(model.id)] == [0.6, 0.9]
    compressing = job(catalog, "compress", model)
    catalog.runs.add_report(compressing.id, 1, "compression", 5.0, {"measured": 1})
    catalog.runs.add_report(compressing.id, 1, "compression", 6.0, {"measured": 2})
    assert [one.report for one in catalog.models.compressions(model.id)] == [{"measured": 2}]


def test_a_compression_is_there_before_it_has_measured_anything(catalog: Catalog) -> None:
    model = trained(catalog)
    run = job(catalog, "compress", model)
    (found,) = catalog.models.compressions()
    assert (found.model, found.run_id, found.status, found.report) == ("cnn@1", run.id, "queued", {})
    assert catalog.models.compressions("other") == []


def test_what_is_left_on_the_host_is_not_to_be_pulled_until_it_is_asked_for(catalog: Catalog) -> None:
    run = create(catalog)
    files = [("big.bin", "file", 9, "a" * 64), ("model.onnx", "onnx", 1, "b" * 64)]
    catalog.runs.add_artifacts(run.id, 1, files, left={"big.bin"})
    finish(catalog, run.id)
    catalog.runs.mark_pulled(run.id, 1, "model.onnx")
    assert [(one.name, one.wanted) for one in catalog.runs.artifacts(run.id, 1)] == [
        ("big.bin", False), ("model.onnx", True),
    ]  # fmt: skip
    assert catalog.runs.unpulled() == []
    assert catalog.runs.want(run.id, 1, ["big.bin", "model.onnx", "none"]) == 1
    assert catalog.runs.unpulled() == [(run.id, 1)]
    assert catalog.runs.want(run.id, 1, ["big.bin"]) == 0
