"""The files that a run leaves, read back by the libraries that others will read them with."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy

from cloudtui_trainer import export


@pytest.fixture(scope="module")
def left(tmp_path_factory, datasets):
    """A run's artifacts, its dataset's folder and its console."""
    import contextlib
    import io

    from tests.trainer.conftest import Home

    folder, sha = datasets
    root = tmp_path_factory.mktemp("export")
    (root / "data").symlink_to(folder)
    home = Home(root, sha, {"epochs": 3, "batch_size": 128})
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


def test_the_file_says_what_it_is_and_nothing_of_this_machine(left):
    artifacts, data, _ = left
    content = (artifacts / "model.onnx").read_bytes()
    for secret in (b".py", b"/cloudtui", b"site-packages", b"self.", b"def ", b"home/", b"stack_trace"):
        assert secret not in content
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == export.OPSET
    stated = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(stated["labels"]) == list("0123456789")
    assert stated["dataset"] == data.name
    assert stated["trainer"]
    assert not model.graph.value_info
    (pixels,) = model.graph.input
    assert pixels.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [path.name for path in sorted(artifacts.iterdir())] == [
        "model.onnx",
        "model.safetensors",
        "report.json",
    ]


def test_the_weights_are_read_by_the_library(left):
    weights = safetensors.numpy.load_file(left[0] / "model.safetensors")
    assert weights["net.dense.5.weight"].shape == (10, 512)
    with safetensors.safe_open(left[0] / "model.safetensors", "numpy") as file:
        assert json.loads(file.metadata()["labels"]) == list("0123456789")


def test_the_console_is_quiet(left):
    lines = left[2].splitlines()
    assert [line.split()[0] for line in lines] == [
        "1,128,906",
        "epoch",
        "epoch",
        "epoch",
        "test",
        "Completed.",
    ]


def test_the_normalisation_is_that_of_the_features(datasets):
    import torch

    import cloudtui_features
    from cloudtui_trainer.models.normalised import Normalised

    folder, sha = datasets
    features = json.loads((folder / sha / "manifest.json").read_text())["features"]
    rows = np.load(folder / sha / "test-x.npy")[:9]
    found = Normalised(torch.nn.Identity(), features)(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(found, cloudtui_features.apply(features, rows), rtol=1e-6)


def test_a_file_that_is_not_the_model_is_refused(left):
    import torch

    class Other(torch.nn.Module):
        def forward(self, pixels):
            return pixels.float().flatten(1)[:, :10]

    stated = {"input": "pixels", "output": "logits"}
    example = torch.from_numpy(np.load(left[1] / "test-x.npy")[:64])
    with pytest.raises(export.ExportError, match="differs from the model"):
        export.check_parity((left[0] / "model.onnx").read_bytes(), Other(), example, stated)
