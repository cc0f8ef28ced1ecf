"""The files that a run leaves, read back by the libraries that others will read them with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy
import torch
from tests.trainer.compress_models import write_pictures
from tests.trainer.jobs import do

from cloudtui_trainer import export
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.models import build, spec_of
from cloudtui_trainer.weights import rebuild


@pytest.fixture(scope="module", params=["cnn", "resnet"])
def left(request, tmp_path_factory, datasets):
    """A run's artifacts, its dataset's folder and its console."""
    import contextlib
    import io

    from tests.trainer.conftest import Home

    folder, sha = datasets
    root = tmp_path_factory.mktemp("export")
    (root / "data").symlink_to(folder)
    home = Home(root, sha, {"epochs": 3, "batch_size": 128, "threads": 1}, request.param)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert home.run() == 0
    return home.folder() / "artifacts", folder / sha, out.getvalue() + err.getvalue()


def test_onnx_runtime_alone_predicts_what_the_report_says_row_by_row(left):
    artifacts, data, _ = left
    session = onnxruntime.InferenceSession(artifacts / "model.onnx")
    (logits,) = session.run(["logits"], {"pixels": np.load(data / "test-x.npy")})
    report = json.loads((artifacts / "report.json").read_text())
    assert logits.argmax(1).tolist() == report["predictions"]["test"]
    truth = np.load(data / "test-y.npy")
    assert (logits.argmax(1) == truth).mean() == pytest.approx(
        report["evaluation"]["test"]["metrics"]["accuracy"]
    )


def words(message):
    """All text in a protobuf, but what we state in its metadata."""
    found = []
    for field, value in message.ListFields():
        for part in value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]:
            if hasattr(part, "ListFields"):
                found += words(part) if field.name != "metadata_props" else []
            elif isinstance(part, str) or (isinstance(part, bytes) and field.name != "raw_data"):
                found.append(part if isinstance(part, str) else part.decode())
    return found


def test_the_file_says_nothing_of_this_machine(left):
    content = (left[0] / "model.onnx").read_bytes()
    model = onnx.load_from_string(content)
    home, here = str(Path.home()).encode(), str(Path(export.__file__).parent).encode()
    for secret in (b"site-packages", b"stack_trace", b"Traceback", b"cloudtui_trainer", home, here):
        assert secret not in content, secret
    text = words(model)
    assert any("logits" in word for word in text)
    for secret in ("/", ".py", "self.", "def ", "\\", "import "):
        assert not [word for word in text if secret in word], secret
    assert not any("/" in entry.value for entry in model.metadata_props)


def test_nothing_that_an_exporter_may_write_of_this_machine_stays():
    """Whichever of these places the next version of torch fills."""
    secret = "/home/ann/secret.py"
    proto = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 20]> g (float[1] x) => (float[1] y) {y = Relu(x)}'
    )
    proto.functions.add().node.add()
    proto.graph.initializer.add()
    proto.graph.value_info.add().name = secret
    graphs = [proto.graph, *proto.functions]
    values = [*proto.graph.input, *proto.graph.output, *proto.graph.initializer]
    for one in [proto, *graphs, *(node for graph in graphs for node in graph.node), *values]:
        one.doc_string = secret
        one.metadata_props.add().value = secret
    assert secret.encode() in proto.SerializeToString()
    export.strip(proto)
    assert secret.encode() not in proto.SerializeToString()


def test_the_file_says_what_it_is(left):
    artifacts, data, _ = left
    model = onnx.load(artifacts / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == export.OPSET
    stated = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(stated["labels"]) == list("0123456789")
    assert stated["dataset"] == data.name
    assert stated["trainer_sha256"] == trainer_sha256()
    assert json.loads(stated["features"]) == json.loads((data / "manifest.json").read_text())["features"]
    assert not model.graph.value_info
    (pixels,) = model.graph.input
    assert pixels.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert pixels.type.tensor_type.shape.dim[0].dim_param
    assert [path.name for path in sorted(artifacts.iterdir())] == [
        "model.onnx",
        "model.safetensors",
        "report.json",
    ]


def test_any_batch_gives_what_torch_gives(left):
    artifacts, data, _ = left
    model = rebuild(artifacts / "model.safetensors")
    session = onnxruntime.InferenceSession(artifacts / "model.onnx")
    for size in (1, 7, 64, 360):
        rows = np.load(data / "test-x.npy")[:size]
        (found,) = session.run(["logits"], {"pixels": rows})
        with torch.no_grad():
            expected = model(torch.from_numpy(rows)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-3)
        assert (found.argmax(1) == expected.argmax(1)).all()


def test_both_files_name_the_same_network_and_it_is_rebuilt(left):
    stated = {entry.key: entry.value for entry in onnx.load(left[0] / "model.onnx").metadata_props}
    with safetensors.safe_open(left[0] / "model.safetensors", "numpy") as file:
        assert file.metadata()["net"] == stated["net"]
    model = build(json.loads(stated["net"]))
    assert spec_of(model)["model"] in {"cnn", "resnet"}


def test_the_weights_are_read_by_the_library(left):
    weights = safetensors.numpy.load_file(left[0] / "model.safetensors")
    head = weights["net.dense.5.weight" if "net.dense.5.weight" in weights else "net.head.weight"]
    assert len(head) == 10
    with safetensors.safe_open(left[0] / "model.safetensors", "numpy") as file:
        assert json.loads(file.metadata()["labels"]) == list("0123456789")


def test_the_console_is_quiet(left):
    lines = left[2].splitlines()
    assert [line.split()[0] for line in lines] == [
        "1,128,906" if "1,128,906" in lines[0] else "308,074",
        "epoch",
        "epoch",
        "epoch",
        "test",
        "Completed.",
    ]


def test_the_normalisation_is_that_of_the_features(datasets):
    import cloudtui_features
    from cloudtui_trainer.models.normalised import Normalised

    folder, sha = datasets
    features = json.loads((folder / sha / "manifest.json").read_text())["features"]
    rows = np.load(folder / sha / "test-x.npy")[:9]
    found = Normalised(torch.nn.Identity(), features)(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(found, cloudtui_features.apply(features, rows), rtol=1e-6)


def test_a_file_that_is_not_the_model_is_refused(left):
    class Other(torch.nn.Module):
        def forward(self, pixels):
            return pixels.float().flatten(1)[:, :10]

    stated = {"input": "pixels", "output": "logits"}
    example = torch.from_numpy(np.load(left[1] / "test-x.npy")[:64])
    with pytest.raises(export.ExportError, match="differs from the model"):
        export.check_parity((left[0] / "model.onnx").read_bytes(), Other(), example, stated)


@pytest.fixture
def foreign(monkeypatch):
    """Let the exporter give the file of a network with other weights."""
    right = export.to_onnx

    def other(model, example, stated):
        torch.manual_seed(99)
        return right(build(spec_of(model)).eval(), example, stated)

    monkeypatch.setattr(export, "to_onnx", other)


def few(tmp_path):
    """A run of a second on small pictures."""
    write_pictures(tmp_path / "data" / "few", {"train": 40, "validation": 20, "test": 300})
    return do(tmp_path, "few", "few", task="image", params={"epochs": 1, "batch_size": 20})


def test_a_file_that_differs_from_the_model_is_not_left(tmp_path, foreign):
    done = few(tmp_path)
    assert (done.status, done.report["onnx"]) == (0, False)
    assert not (done.artifacts / "model.onnx").exists()
    assert "it differs from the model by" in done.events()["onnx_skipped"]["text"]


def test_the_report_is_of_what_the_file_says(tmp_path, foreign, monkeypatch):
    """A network's own answers may be others in the last digits: a GPU multiplies less exactly."""
    monkeypatch.setattr(export, "check_parity", lambda *_: None)
    done = few(tmp_path)
    session = onnxruntime.InferenceSession(done.artifacts / "model.onnx")
    found = {}
    for split in ("validation", "test"):
        rows = np.load(tmp_path / "data" / "few" / f"{split}-x.npy")
        found[split] = session.run(None, {"pixels": rows})[0].argmax(1).tolist()
    assert done.report["predictions"] == found
    network = rebuild(done.artifacts / "model.safetensors")
    with torch.no_grad():
        assert network(torch.from_numpy(rows)).argmax(1).tolist() != found["test"]
    truth = np.load(tmp_path / "data" / "few" / "test-y.npy")
    accuracy = done.report["evaluation"]["test"]["metrics"]["accuracy"]
    assert accuracy == pytest.approx((np.array(found["test"]) == truth).mean())


class WrongAt:
    """A session that gives back its rows, changed where there are so many of them."""

    def __init__(self, size, change):
        self._size, self._change = size, change

    def run(self, _names, feed):
        (rows,) = feed.values()
        return [self._change(rows) if len(rows) == self._size else rows]


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize(
    "change", [lambda rows: rows + 1, lambda rows: rows[:, ::-1]], ids=["numbers", "classes"]
)
def test_the_file_is_held_against_the_model_at_each_size(monkeypatch, size, change):
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: WrongAt(size, change))
    near = torch.tensor([[1.0, 1.0001]]).repeat(64, 1)  # turned round they differ by nothing but their class
    with pytest.raises(export.ExportError, match=f"at batch {size}$"):
        export.check_parity(b"", torch.nn.Flatten(), near, {"input": "rows", "output": "rows"})


@pytest.mark.parametrize("rows", [1, 0])
def test_few_test_rows_do_not_stop_the_export(tmp_path, rows):
    write_pictures(tmp_path / "data" / "few", {"train": 8, "validation": 1, "test": rows})
    done = do(tmp_path, "few", "few", task="image", params={"epochs": 1, "batch_size": 4})
    assert (done.status, done.report["onnx"]) == (0, True)
    session = onnxruntime.InferenceSession(done.artifacts / "model.onnx")
    for size in (1, 7):
        assert session.run(None, {"pixels": np.zeros((size, 1, 8, 8), np.uint8)})[0].shape == (size, 4)


def test_another_opset_than_was_asked_for_is_refused(monkeypatch):
    """Where torch cannot do it, it says nothing and gives another one."""
    right = torch.onnx.export
    monkeypatch.setattr(
        torch.onnx, "export", lambda *given, **how: right(*given, **{**how, "opset_version": 20})
    )
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2)).eval()
    with pytest.raises(export.ExportError, match="gave opset 20 instead of 18"):
        export.to_onnx(model, torch.zeros(2, 1, 2, 2), {"input": "pixels", "output": "logits"})
