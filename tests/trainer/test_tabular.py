"""Tables: from raw rows to journal, files and reports, with both models, for classes and for numbers."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trainer import tables
from tests.trainer.jobs import do

import cloudtui_features
from cloudtui_trainer import models, onnx_file
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.models import boosting, mlp
from cloudtui_trainer.models.columns import Columns, PiecewiseLinear
from cloudtui_trainer.stop import STOPPED
from cloudtui_trainer.tasks.tabular import TabularParams
from cloudtui_trainer.weights import rebuild

FEATURES = {
    "kind": "tabular",
    "columns": [
        {"name": "a", "kind": "number", "fill": 2.0, "mean": 1.5, "std": 0.5, "edges": [0.0, 1.0, 2.0, 4.0]},
        {"name": "b", "kind": "category", "vocabulary": ["x", "y"]},
        {"name": "c", "kind": "number", "fill": -1.0, "mean": 0.0, "std": 9.0, "edges": [5.0]},
    ],
    "target": {"kind": "classes"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="module")
def trained(root):
    """A run of each model on each kind of target, by name."""
    data = {"cancer": tables.breast_cancer(root / "data"), "diabetes": tables.diabetes(root / "data")}
    return {
        (model, name): do(
            root, f"{model}-{name}", sha, task="tabular", model=model, params={"epochs": 4, "trees": 60}
        )
        for name, sha in data.items()
        for model in ("mlp", "boosting")
    }


EACH = [(model, name) for model in ("mlp", "boosting") for name in ("cancer", "diabetes")]


@pytest.mark.parametrize("which", EACH)
def test_the_file_alone_gives_the_reports_predictions_to_the_row(trained, root, which):
    done = trained[which]
    assert done.status == 0
    session = onnxruntime.InferenceSession(done.artifacts / "model.onnx")
    for split in ("validation", "test"):
        rows = np.load(root / "data" / done.report["dataset"] / f"{split}-x.npy")
        (found,) = session.run(None, {"rows": rows})
        kept = done.report["predictions"][split]
        if which[1] == "cancer":
            assert found.argmax(1).tolist() == kept
        else:
            assert found.shape == (len(rows), 1)
            np.testing.assert_allclose(found[:, 0], kept, rtol=1e-4)


@pytest.mark.parametrize("which", EACH)
def test_what_a_run_tells(trained, which):
    done = trained[which]
    goals = {"diabetes": {"loss", "rmse", "mae", "r2"}, "cancer": {"loss", "accuracy", "auc"}}[which[1]]
    assert {key.removeprefix("test/") for key in done.events()["goals"] if key.startswith("test/")} == goals
    points = {key for record in done.records("metric") for key in record["values"]}
    assert {f"{split}/{key}" for split in ("validation", "test") for key in goals} <= points
    assert {"train/loss", "train/mae" if which[1] == "diabetes" else "train/accuracy"} <= points
    steps = [record["step"] for record in done.records("metric")]
    assert steps == sorted(steps)
    assert done.records()[-1]["reason"] == "completed"
    told = {record["name"]: record["data"] for record in done.records("report")}
    assert told == {f"evaluation/{split}": report for split, report in done.report["evaluation"].items()}
    assert any(record.get("step") for record in done.records("progress"))


@pytest.mark.parametrize("which", EACH)
def test_the_baselines_stand_beside_the_report(trained, which):
    for report in trained[which].report["evaluation"].values():
        names = [entry["name"] for entry in report["baselines"]]
        kind = "linear" if which[1] == "diabetes" else "logistic"
        assert names == ["scikit-learn boosting", f"scikit-learn {kind} regression"]
        for entry in report["baselines"]:
            assert set(entry["metrics"]) == (
                {"mae", "rmse", "r2", "loss"} if kind == "linear" else {"accuracy", "macro_f1", "loss", "auc"}
            )


@pytest.mark.parametrize("which", EACH)
def test_files_say_what_goes_in_and_comes_out_and_nothing_of_this_machine(trained, root, which):
    done = trained[which]
    content = (done.artifacts / "model.onnx").read_bytes()
    proto = onnx.load_from_string(content)
    onnx.checker.check_model(proto, full_check=True)
    stated = {entry.key: entry.value for entry in proto.metadata_props}
    manifest = json.loads((root / "data" / done.report["dataset"] / "manifest.json").read_text())
    assert stated["dataset"] == done.report["dataset"]
    assert stated["trainer_sha256"] == trainer_sha256()
    assert json.loads(stated["features"]) == manifest["features"]
    assert json.loads(stated["labels"]) == manifest["classes"]
    assert json.loads(stated["target"]) == manifest["target"]
    assert [column["name"] for column in json.loads(stated["columns"])] == [
        column["name"] for column in manifest["columns"]
    ]
    for secret in (b".py", b"/cloudtui", b"site-packages", b"self.", b"home/", str(root).encode()):
        assert secret not in content
    left = {path.name for path in done.artifacts.iterdir()}
    weights = {"model.safetensors"} if which[0] == "mlp" else set()
    assert left == {"model.onnx", "report.json"} | weights
    if which[0] == "boosting":
        assert "model.onnx is the model" in done.report["notes"][0]


def test_weights_rebuild_without_the_dataset(trained, root):
    done = trained["mlp", "diabetes"]
    rows = np.load(root / "data" / done.report["dataset"] / "test-x.npy")
    with torch.no_grad():
        found = rebuild(done.artifacts / "model.safetensors")(torch.from_numpy(rows))
    np.testing.assert_allclose(found[:, 0], done.report["predictions"]["test"], rtol=1e-5)


def test_boosting_beats_chance_and_stops_where_validation_is_best(trained):
    report = trained["boosting", "cancer"].report
    assert report["evaluation"]["test"]["metrics"]["auc"] > 0.97
    values = {
        record["step"]: record["values"]["validation/loss"]
        for record in trained["boosting", "cancer"].records("metric")
        if "validation/loss" in record["values"]
    }
    assert report["best"]["step"] == min(values, key=lambda step: (values[step], step))


def test_boosting_ends_after_its_patience(root):
    sha = tables.diabetes(root / "data", seed=4)
    done = do(
        root, "patient", sha, task="tabular", model="boosting", params={"patience": 20, "shrinkage": 0.5}
    )
    steps = [record["step"] for record in done.records("metric")]
    assert done.status == 0
    assert max(steps) == done.report["best"]["step"] + 20


def test_a_stop_between_rounds_leaves_no_half_result_and_a_resumed_run_begins_anew(root, monkeypatch):
    sha = tables.diabetes(root / "data", seed=5)
    grow, stops = boosting.Boosting.grow, []

    def growing(self, rounds):
        grow(self, rounds)
        if not stops:
            stops.append(True)
            import os
            import signal

            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(boosting.Boosting, "grow", growing)
    done = do(root, "stopped", sha, task="tabular", model="boosting", params={"trees": 50})
    assert done.status == STOPPED
    assert done.records()[-1]["reason"] == "stopped"
    assert not done.artifacts.exists()
    config = json.loads((done.folder / "config.json").read_text())
    again = done.folder.parent / "a0002"
    again.mkdir()
    (again / "config.json").write_text(json.dumps({**config, "attempt": 2}))
    from cloudtui_trainer.__main__ import main

    assert main([str(again / "config.json")], env={}) == 0
    assert type(done)(again, 0).events()["resumed"] == {"from_step": 0}


@pytest.mark.parametrize(
    ("missing", "why"), [(["scikit-learn"], "pip install scikit-learn"), (["onnx"], "pip install onnx")]
)
def test_boosting_without_its_libraries_fails_before_it_begins(root, monkeypatch, missing, why):
    monkeypatch.setattr(boosting, "missing_libraries", lambda: missing)
    sha = tables.diabetes(root / "data")
    done = do(root, f"without-{missing[0]}", sha, task="tabular", model="boosting")
    assert done.status == 1
    assert why in done.message


def test_boosting_cannot_begin_from_weights(root, trained):
    weights = trained["mlp", "diabetes"].artifacts / "model.safetensors"
    sha = tables.diabetes(root / "data")
    done = do(root, "weights", sha, task="tabular", model="boosting", weights=str(weights))
    assert (done.status, "cannot begin from given weights" in done.message) == (1, True)


def test_a_file_that_differs_from_the_trees_is_refused(root, monkeypatch):
    outputs = onnx_file.OnnxFile.outputs
    monkeypatch.setattr(onnx_file.OnnxFile, "outputs", lambda self, rows: outputs(self, rows) + 1)
    sha = tables.diabetes(root / "data")
    done = do(root, "differs", sha, task="tabular", model="boosting", params={"trees": 10})
    assert done.status == 1
    assert "differs from the model by" in done.message


def test_without_onnx_runtime_boosting_says_that_its_file_is_unchecked(root, monkeypatch):
    monkeypatch.setattr(onnx_file, "can_read", lambda: False)
    sha = tables.diabetes(root / "data")
    done = do(root, "unchecked", sha, task="tabular", model="boosting", params={"trees": 10})
    assert done.status == 0
    assert "not held against" in done.events()["parity_unchecked"]["text"]


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda m: m["target"].update(kind="number"), "its target is"),
        (lambda m: m.update(classes=[]), "its target is"),
        (lambda m: m["features"]["columns"].pop(), "not what its manifest says"),
        (lambda m: m["features"]["columns"][0].pop("fill"), "damaged"),
        (lambda m: m.update(task="image"), "does not hold data for the task tabular"),
        (lambda m: m.update(classes=["only"]), "not one of its 1 classes"),
    ],
)
def test_a_damaged_dataset_is_refused(root, tmp_path, damage, why):
    folder = root / "data" / tables.breast_cancer(root / "data")
    copy = tmp_path / "data" / "copy"
    copy.parent.mkdir()
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((copy / "manifest.json").read_text())
    damage(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    done = do(tmp_path, "damaged", "copy", task="tabular", params={"epochs": 1})
    assert done.status == 1
    assert why in done.message


@pytest.mark.usefixtures("no_export")
def test_a_target_that_is_no_number_is_refused(root, tmp_path):
    folder = root / "data" / tables.diabetes(root / "data")
    copy = tmp_path / "data" / "copy"
    copy.mkdir(parents=True)
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    y = np.load(copy / "train-y.npy")
    y[3] = np.nan
    np.save(copy / "train-y.npy", y)
    done = do(tmp_path, "nan", "copy", task="tabular", params={"epochs": 1})
    assert (done.status, "not a finite number" in done.message) == (1, True)


@pytest.mark.usefixtures("no_export")
def test_another_model_is_refused(root):
    done = do(root, "resnet", tables.diabetes(root / "data"), task="tabular", model="resnet")
    assert done.status == 1
    assert "no model 'resnet' for tables" in done.message


cells = st.floats(-1e4, 1e4, width=32) | st.just(float("nan"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(cells, st.integers(0, 2), cells), min_size=1, max_size=9))
def test_the_network_prepares_rows_as_the_features_do(rows):
    raw = np.array(rows, dtype=np.float32)
    expected = cloudtui_features.apply(FEATURES, raw)
    columns = Columns(FEATURES)
    filled, missing = columns.filled(torch.from_numpy(raw))
    assert torch.equal(missing, torch.from_numpy(np.isnan(raw[:, [0, 2]])))
    np.testing.assert_allclose(columns.standardised(filled), expected[:, [0, 2]], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(columns.codes(torch.from_numpy(raw))[:, 0], expected[:, 1])


def test_piecewise_linear_is_the_share_of_each_bin_below_a_number():
    pieces = PiecewiseLinear([[0.0, 1.0, 3.0], [5.0], [2.0, 2.0 + 1e-9, 4.0]])
    found = pieces(torch.tensor([[0.5, 5.0, 3.0], [2.0, -9.0, 9.0], [-7.0, 9.0, 2.0], [99.0, 0.0, 0.0]]))
    expected = [
        [[0.5, 0.0], [0, 0], [0, 0.5]],
        [[1.0, 0.5], [0, 0], [0, 1.0]],
        [[0.0, 0.0], [0, 0], [0, 0.0]],
        [[1.0, 1.0], [0, 0], [0, 0.0]],
    ]
    torch.testing.assert_close(found, torch.tensor(expected))


@pytest.mark.parametrize("kinds", ["number", "category"])
def test_a_network_of_one_kind_of_column(kinds):
    features = {**FEATURES, "columns": [c for c in FEATURES["columns"] if c["kind"] == kinds]}
    model = models.build(mlp.spec(features, 3, widths=[8], embedding=4)).eval()
    rows = torch.tensor([[1.0] * len(features["columns"]), [float("nan")] * len(features["columns"])])
    assert model(rows).shape == (2, 3)
    assert torch.isfinite(model(rows)).all()


def test_what_lies_far_outside_gives_finite_outputs():
    model = models.build(mlp.spec(FEATURES, 2, widths=[8], embedding=4)).eval()
    rows = torch.tensor([[3e38, 99.0, -3e38], [-3e38, -4.0, 3e38]])
    assert torch.isfinite(model(rows)).all()


@pytest.mark.parametrize(
    ("rows", "given", "used"), [(100, 0, 16), (400, 0, 25), (30_000, 0, 128), (400, 99, 99)]
)
def test_small_tables_are_learned_in_smaller_updates(rows, given, used):
    assert TabularParams(batch_size=given).update_rows(rows) == used


@pytest.mark.usefixtures("no_export")
def test_the_rows_of_an_update_are_told(root):
    done = do(root, "told", tables.diabetes(root / "data"), task="tabular", params={"epochs": 1})
    started = done.events()["started"]
    assert started["params"]["batch_size"] == done.report["params"]["batch_size"] == 309 // 16
    assert started["steps"] == 17
