"""The evaluation job: any version on any dataset that it fits; names decide, what does not fit is named."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import pytest
from tests.trainer import tables
from tests.trainer.jobs import do

from cloudtui_trainer import onnx_file
from cloudtui_trainer.stop import STOPPED, Stop

COLORS = ["red", "green", "blue"]


def shop(n=600, seed=0):
    """Columns of two kinds, whose target is a class and a number."""
    chance = np.random.default_rng(seed)
    size, weight = chance.normal(50, 10, n), chance.normal(5, 1, n)
    color = chance.integers(0, 3, n)
    price = size * 2 + weight + color * 30 + chance.normal(0, 3, n)
    columns = {
        "size": [None if miss else float(v) for v, miss in zip(size, chance.random(n) < 0.05, strict=True)],
        "color": [COLORS[c] for c in color],
        "weight": weight.tolist(),
    }
    return columns, price, ["dear" if p > 135 else "cheap" for p in price]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="module")
def data(root):
    """sha256 of datasets by name."""
    columns, price, kind = shop()
    place = root / "data"
    turned = dict(reversed(columns.items()))
    other, other_price, other_kind = shop(300, seed=1)
    strange = {**other, "color": ["violet" if c == "blue" else c for c in other["color"]]}
    return {
        "class": write(place, columns, kind),
        "number": write(place, columns, price.tolist(), target_name="price"),
        "turned": write(place, turned, kind, name="turned"),
        "strange": write(place, strange, other_kind, name="strange"),
        "wider": write(place, {"extra": other["weight"], **other}, other_kind, name="wider"),
        "other number": write(place, other, other_price.tolist(), target_name="price", name="other"),
        "weights": write(place, other, other["weight"], target_name="weight", name="weights"),
        "lacks": write(place, {k: v for k, v in other.items() if k != "size"}, other_kind, name="lacks"),
        "kinds": write(place, {**other, "color": [1.0 * i for i in range(300)]}, other_kind, name="kinds"),
        "labels": write(place, other, [f"very {k}" for k in other_kind], name="labels"),
    }


def write(place, columns, target, **how):
    return tables.write_table(place, columns, target, **how)


@pytest.fixture(scope="module")
def given(root, data):
    """Trained versions: the job of each."""
    params = {"epochs": 3, "trees": 60}
    return {
        (model, kind): do(root, f"{model}-{kind}", data[kind], task="tabular", model=model, params=params)
        for model in ("mlp", "boosting")
        for kind in ("class", "number")
    }


@pytest.fixture
def judge(root, data, given, request):
    """Evaluate one version on one dataset."""
    count = iter(range(99))

    def run(which, dataset, **config):
        folder = config.pop("given", None) or given[which].artifacts
        name = f"{request.node.name.replace('/', '')}-{next(count)}"
        return do(
            root, name, data.get(dataset, dataset), job="evaluate", of="shop@1", given=str(folder), **config
        )

    return run


EACH = [(model, kind) for model in ("mlp", "boosting") for kind in ("class", "number")]


@pytest.mark.parametrize("which", EACH)
@pytest.mark.parametrize("split", ["validation", "test"])
def test_on_its_own_data_the_report_is_that_of_the_training(judge, given, which, split):
    done = judge(which, which[1], split=split)
    assert done.status == 0
    (told,) = done.records("report")
    assert told["name"] == f"evaluation/{split}"
    before = given[which].report
    assert done.report["predictions"][split] == pytest.approx(before["predictions"][split], rel=1e-5)
    expected = before["evaluation"][split]
    assert told["data"]["model"] == "shop@1"
    assert told["data"]["baselines"] == expected["baselines"]
    assert told["data"]["metrics"] == pytest.approx(expected["metrics"], rel=1e-4)
    assert set(told["data"]) == set(expected)
    assert done.report["evaluation"][split] == told["data"]
    (points,) = done.records("metric")
    assert set(points["values"]) == {f"{split}/{key}" for key in told["data"]["metrics"]}


def test_columns_and_words_in_another_order_are_the_same(judge, data, root):
    """The turned table has other columns first, and its split another draw: so row by row, by hand."""
    turned, plain = (root / "data" / data[name] for name in ("turned", "class"))
    features = json.loads((turned / "manifest.json").read_text())["features"]["columns"]
    assert [column["name"] for column in features] == ["weight", "color", "size"]
    first, second = judge(("boosting", "class"), "class"), judge(("boosting", "class"), "turned")
    assert np.array_equal(np.load(turned / "test-y.npy"), np.load(plain / "test-y.npy"))
    assert first.report["predictions"] == second.report["predictions"]


def test_labels_in_another_order_are_the_same(judge, given, root, data, tmp_path):
    folder = root / "data" / "swapped"
    shutil.copytree(root / "data" / data["class"], folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["classes"] = manifest["classes"][::-1]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for split in ("train", "validation", "test"):
        np.save(folder / f"{split}-y.npy", 1 - np.load(folder / f"{split}-y.npy"))
    done = judge(("mlp", "class"), "swapped")
    assert done.status == 0
    before = given["mlp", "class"].report["evaluation"]["test"]
    after = done.report["evaluation"]["test"]
    assert after["metrics"] == pytest.approx(before["metrics"], rel=1e-4)
    assert after["confusion"] == before["confusion"]
    assert [entry["label"] for entry in after["classes"]] == ["cheap", "dear"]


@pytest.mark.parametrize("model", ["mlp", "boosting"])
def test_words_never_seen_count_as_missing_and_are_told(judge, model, data, root):
    done = judge((model, "class"), "strange")
    assert done.status == 0
    folder = root / "data" / data["strange"]
    words = json.loads((folder / "manifest.json").read_text())["features"]["columns"][1]["vocabulary"]
    violet = int((np.load(folder / "test-x.npy")[:, 1] == words.index("violet") + 1).sum())
    assert violet > 5
    (note,) = done.report["evaluation"]["test"]["notes"]
    assert note.startswith(f"Column 'color' has {violet} cells with a category that the model has never seen")
    assert done.events()["note"]["text"] == note


def test_columns_that_the_model_does_not_take_are_passed_over_and_told(judge):
    done = judge(("mlp", "class"), "wider")
    assert done.report["evaluation"]["test"]["notes"] == ["Columns that the model does not take: 'extra'."]


def test_baselines_of_another_dataset_learn_from_its_own_train_rows(judge, given):
    done = judge(("mlp", "number"), "other number")
    mine = done.report["evaluation"]["test"]
    theirs = given["mlp", "number"].report["evaluation"]["test"]
    assert mine["n"] == 60
    names = [entry["name"] for entry in mine["baselines"]]
    assert names == ["scikit-learn boosting", "scikit-learn linear regression"]
    assert mine["baselines"] != theirs["baselines"]
    assert mine["baselines"][1]["metrics"]["r2"] > 0.95


@pytest.mark.parametrize(
    ("which", "dataset", "config", "why"),
    [
        (("mlp", "class"), "lacks", {}, "lacks the column 'size' of the model. It has 'color', 'weight'"),
        (("mlp", "class"), "kinds", {}, "Column 'color' is a category for the model, but a number here"),
        (
            ("boosting", "class"),
            "labels",
            {},
            "does not know the labels 'very cheap', 'very dear'. It knows 'cheap'",
        ),
        (
            ("mlp", "number"),
            "class",
            {},
            "predicts 'price', a number, the target of the dataset is 'target', classes",
        ),
        (
            ("mlp", "number"),
            "weights",
            {},
            "predicts 'price', a number, the target of the dataset is 'weight'",
        ),
        (
            ("mlp", "class"),
            "class",
            {"split": "tset"},
            "no rows in a split 'tset'. Splits with rows: train, validation",
        ),
        (("mlp", "class"), "nowhere", {}, "Cannot read the dataset"),
        (("mlp", "class"), "class", {"given": "/nowhere"}, "The model's files are not there"),
        (("mlp", "class"), "class", {"params": {"device": "cuda"}}, "no GPU"),
    ],
)
def test_what_does_not_fit_is_named(judge, which, dataset, config, why):
    if config.get("params"):
        pytest.importorskip("torch")
        import torch

        if torch.cuda.is_available():
            pytest.skip("there is a GPU here")
    done = judge(which, dataset, **config)
    assert done.status == 1
    assert why in done.message
    assert not (done.artifacts / "report.json").exists()


def copied(given, tmp_path, *names):
    tmp_path.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(given.artifacts / name, tmp_path / name)
    return tmp_path


def test_without_onnx_runtime_the_weights_are_rebuilt(judge, given, monkeypatch):
    monkeypatch.setattr(onnx_file, "can_read", lambda: False)
    for kind in ("class", "number"):
        done = judge(("mlp", kind), kind)
        assert done.report["file"] == "model.safetensors"
        assert done.report["predictions"]["test"] == pytest.approx(
            given["mlp", kind].report["predictions"]["test"], rel=1e-4
        )
    done = judge(("boosting", "class"), "class")
    assert (done.status, "pip install onnxruntime" in done.message) == (1, True)


def test_a_report_is_not_needed(judge, given, tmp_path):
    done = judge(None, "class", given=copied(given["mlp", "class"], tmp_path, "model.onnx"))
    assert done.status == 0
    assert done.report["evaluation"]["test"]["baselines"]


@pytest.mark.parametrize(
    ("name", "spoil", "why"),
    [
        ("model.onnx", lambda content: content[: len(content) // 2], "model.onnx cannot be read"),
        ("model.onnx", lambda _: b"not a model", "model.onnx cannot be read"),
        (
            "model.onnx",
            lambda content: content.replace(b"features", b"fxatures"),
            "does not state what it takes",
        ),
        ("model.safetensors", lambda content: content[:-9], "no whole file of weights"),
        ("report.json", lambda content: content[:-9], "report.json of the model is damaged"),
    ],
)
def test_a_spoilt_file_is_named(judge, given, tmp_path, name, spoil, why):
    names = {name, "model.onnx"} if name == "report.json" else {name}
    folder = copied(given["mlp", "class"], tmp_path, *names)
    (folder / name).write_bytes(spoil((folder / name).read_bytes()))
    done = judge(None, "class", given=folder)
    assert done.status == 1
    assert why in done.message


@pytest.mark.parametrize(
    "baselines",
    [
        "all of them", [], [1], [{"name": "best", "metrics": {"auc": "[red]0.99[/]"}}],
        [{"name": ["x"], "metrics": {}}], [{"name": "x", "metrics": {}, "more": 1}],
    ],
)  # fmt: skip
def test_baselines_of_a_report_that_is_not_ours_are_computed_anew(judge, given, tmp_path, baselines):
    folder = copied(given["mlp", "class"], tmp_path, "model.onnx", "report.json")
    report = json.loads((folder / "report.json").read_text())
    right = report["evaluation"]["test"]["baselines"]
    report["evaluation"]["test"]["baselines"] = baselines
    (folder / "report.json").write_text(json.dumps(report))
    done = judge(None, "class", given=folder)
    assert done.report["evaluation"]["test"]["baselines"] == right


@pytest.mark.parametrize("place", ["near.bin", "../far.bin", "absolute"])
def test_numbers_in_other_files_are_not_fetched(judge, given, tmp_path, monkeypatch, place):
    folder = copied(given["mlp", "class"], tmp_path / "given", "model.onnx")
    proto = onnx.load(folder / "model.onnx")
    value = max(proto.graph.initializer, key=lambda value: len(value.raw_data))
    path = str(tmp_path / "far.bin") if place == "absolute" else place
    (folder / path).write_bytes(value.raw_data)
    onnx.external_data_helper.set_external_data(value, path, 0, len(value.raw_data))
    value.ClearField("raw_data")
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    monkeypatch.chdir(folder)
    done = judge(None, "class", given=folder)
    assert (done.status, "has its numbers in other files" in done.message) == (1, True)


def test_an_empty_folder_is_told(judge, tmp_path):
    done = judge(None, "class", given=tmp_path)
    assert (done.status, "no model.onnx and no model.safetensors" in done.message) == (1, True)


def test_outputs_that_are_no_numbers_are_refused(judge, monkeypatch):
    outputs = onnx_file.OnnxFile.outputs
    monkeypatch.setattr(onnx_file.OnnxFile, "outputs", lambda self, rows: outputs(self, rows) * np.nan)
    done = judge(("mlp", "class"), "class")
    assert (done.status, "no numbers" in done.message) == (1, True)


def test_a_file_that_takes_other_rows_than_it_states_is_named(judge, given, tmp_path):
    folder = copied(given["mlp", "class"], tmp_path, "model.onnx")
    theirs = onnx.load(given["boosting", "number"].artifacts / "model.onnx")
    stated = onnx.load(folder / "model.onnx").metadata_props
    theirs.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    del theirs.graph.node[:]
    same = onnx.helper.make_node("Cast", ["rows"], ["prediction"], to=onnx.TensorProto.FLOAT)
    theirs.graph.node.append(same)
    del theirs.graph.initializer[:], theirs.metadata_props[:]
    del theirs.graph.output[0].type.tensor_type.shape.dim[:]
    theirs.metadata_props.extend(stated)
    onnx.save(theirs, folder / "model.onnx")
    done = judge(None, "class", given=folder)
    assert (done.status, "model.onnx cannot be computed" in done.message) == (1, True)


def test_a_stop_leaves_no_report(judge, monkeypatch):
    monkeypatch.setattr(Stop, "requested", True, raising=False)
    monkeypatch.setattr(Stop, "__init__", lambda self: setattr(self, "_before", {}))
    done = judge(("mlp", "class"), "class")
    assert done.status == STOPPED
    assert done.records()[-1]["reason"] == "stopped"
    assert not done.artifacts.exists()


def test_it_tells_how_far_it_is(judge):
    done = judge(("mlp", "class"), "class", params={"batch_size": 10})
    told = [record for record in done.records("progress") if record.get("text") == "Evaluating"]
    assert [(record["step"], record["steps"]) for record in (told[0], told[-1])] == [(1, 12), (12, 12)]


@pytest.fixture(scope="module")
def pictures(root, datasets):
    """The digits, trained on for an epoch."""
    folder, sha = datasets
    shutil.copytree(folder / sha, root / "data" / sha)
    return do(root, "digits", sha, task="image", model="cnn", params={"epochs": 1}), sha


def test_pictures_give_the_reports_predictions_to_the_row(judge, pictures):
    trained, sha = pictures
    done = judge(None, sha, given=trained.artifacts)
    assert done.status == 0
    assert done.report["predictions"]["test"] == trained.report["predictions"]["test"]
    assert done.report["evaluation"]["test"]["baselines"] == trained.report["evaluation"]["test"]["baselines"]
    (baseline,) = done.report["evaluation"]["test"]["baselines"]
    assert baseline["name"].startswith("always ")
    assert baseline["metrics"]["accuracy"] < 0.15


def test_pictures_of_another_shape_are_refused(judge, pictures, root):
    trained, sha = pictures
    folder = root / "data" / "small"
    shutil.copytree(root / "data" / sha, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["input"]["shape"] = manifest["features"]["shape"] = [1, 4, 4]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for split in ("train", "validation", "test"):
        np.save(folder / f"{split}-x.npy", np.load(folder / f"{split}-x.npy")[:, :, :4, :4].copy())
    done = judge(None, "small", given=trained.artifacts)
    assert done.status == 1
    assert "pictures of 1 x 8 x 8 (channels x height x width), the dataset has 1 x 4 x 4" in done.message


def test_a_model_of_pictures_cannot_judge_a_table(judge, pictures):
    done = judge(None, "class", given=pictures[0].artifacts)
    assert done.status == 1
    assert "does not hold data for the task image" in done.message
