"""Static int8: ranges from train, stated as the float file is, and counted in the graph that really runs."""

from __future__ import annotations

import json
import zlib
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests.trainer.compress_models import leave, task_of, trained, write_pictures

from cloudtui_trainer import export
from cloudtui_trainer.compress import candidates, files, int8, others
from cloudtui_trainer.compress.distill import Lesson
from cloudtui_trainer.compress.int8 import Quantizer, coverage
from cloudtui_trainer.compress.measure import Timing
from cloudtui_trainer.compress.rows import TrainRows
from cloudtui_trainer.compress.settings import Settings
from cloudtui_trainer.errors import ParamError
from cloudtui_trainer.params import read_params
from cloudtui_trainer.stop import Stop


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A task, its network and the network's file."""
    folder = tmp_path_factory.mktemp("int8")
    task = task_of(write_pictures(folder / "data"))
    model = trained(task)
    content = (leave(folder / "given", task, model) / "model.onnx").read_bytes()
    return SimpleNamespace(folder=folder, task=task, model=model, content=content)


@pytest.fixture(scope="module")
def quantized(given):
    task = given.task
    with Quantizer(given.content, TrainRows(task), 256, 0) as quantizer:
        inputs = TrainRows(task).sample(64, 0).numpy()
        names = [node.name for node in quantizer._nodes]
        return {
            "whole": quantizer.quantize({"method": "int8"}),
            "first layer only": quantizer.quantize({}, only=names[:1]),
            "sensitivity": {quantizer.label(name): kl for name, kl in quantizer.sensitivity(inputs).items()},
        }


def logits(content, given):
    inputs = np.load(given.folder / "data" / "test-x.npy")
    session = onnxruntime.InferenceSession(content)
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]


@pytest.mark.parametrize(("vnni", "widest"), [(True, 127), (False, 64)])
def test_without_vnni_weights_are_of_seven_bits_for_sums_to_fit(given, monkeypatch, vnni, widest):
    monkeypatch.setattr(int8, "has_vnni", lambda: vnni)
    with Quantizer(given.content, TrainRows(given.task), 256, 0) as quantizer:
        proto = onnx.load_from_string(quantizer.quantize({}))
    weights = [
        np.abs(onnx.numpy_helper.to_array(tensor).astype(int)).max()
        for tensor in proto.graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    ]
    assert max(weights) == pytest.approx(widest, abs=1)


def test_fewer_rows_than_ranges_need_are_refused():
    assert read_params(Settings, {"calibration": 256}).calibration == 256
    with pytest.raises(ParamError, match="256"):
        read_params(Settings, {"calibration": 255})


def test_it_says_nearly_the_same_in_much_less(given, quantized):
    left, right = logits(given.content, given), logits(quantized["whole"], given)
    assert (left.argmax(1) == right.argmax(1)).mean() > 0.97
    assert len(quantized["whole"]) < len(given.content) * 0.6  # a tiny network: scales and names weigh, too


def test_raw_bytes_go_in_and_all_is_stated(given, quantized):
    proto = onnx.load_from_string(quantized["whole"])
    onnx.checker.check_model(proto, full_check=True)
    (pixels,) = proto.graph.input
    assert (pixels.name, pixels.type.tensor_type.elem_type) == ("pixels", onnx.TensorProto.UINT8)
    stated = files.stated(quantized["whole"])
    assert stated == files.stated(given.content) | {"method": "int8"}
    assert json.loads(stated["features"])["std"]
    assert not proto.graph.value_info
    weights = {value.data_type for value in proto.graph.initializer if np.prod(value.dims) > 99}
    assert weights == {onnx.TensorProto.INT8}


def test_each_output_channel_has_its_scale(quantized):
    """One for a whole layer would be that of its widest channel."""
    proto = onnx.load_from_string(quantized["whole"])
    dims = {value.name: list(value.dims) for value in proto.graph.initializer}
    scales = [
        (dims[node.input[0]], dims[node.input[1]])
        for node in proto.graph.node
        if node.op_type == "DequantizeLinear" and len(dims.get(node.input[0], ())) > 1
    ]
    assert len(scales) == 4
    assert all(scale in ([weight[0]], [weight[1]]) for weight, scale in scales)


def test_shapes_that_were_true_of_another_graph_are_not_read(given):
    proto = onnx.load_from_string(given.content)
    proto.graph.value_info.add().name = "stale"
    assert not files.read(proto.SerializeToString()).graph.value_info


def test_all_heavy_layers_run_in_integers(given, quantized):
    assert coverage(quantized["whole"]) == 1.0
    assert coverage(given.content) == 0.0


def test_a_file_that_is_mostly_floating_point_is_found_out(quantized):
    assert coverage(quantized["first layer only"]) == 0.25 < int8.ENOUGH


def test_each_layer_has_its_loss(quantized):
    losses = quantized["sensitivity"]
    assert list(losses) == [
        "1. Conv 12 x 1 x 3 x 3", "2. Conv 16 x 12 x 3 x 3", "3. Gemm 24 x 256", "4. Gemm 4 x 24",
    ]  # fmt: skip
    assert all(0 < loss < 0.1 for loss in losses.values())


def test_ranges_come_from_train_alone(given, monkeypatch):
    task = given.task
    asked = []
    batch = type(task).batch

    def noted(self, split, rows, **more):
        asked.append(split)
        return batch(self, split, rows, **more)

    monkeypatch.setattr(type(task), "batch", noted)
    with Quantizer(given.content, TrainRows(task), 256, 0) as quantizer:
        quantizer.quantize({})
    assert set(asked) == {"train"}


def test_half_precision_changes_no_label_and_halves_the_weights(given):
    half = others.half_weights(given.content, {"method": "fp16"})
    assert (logits(half, given).argmax(1) == logits(given.content, given).argmax(1)).all()
    large = [value for value in onnx.load_from_string(half).graph.initializer if np.prod(value.dims) > 99]
    assert {value.data_type for value in large} == {onnx.TensorProto.FLOAT16}


def test_dynamic_int8_opens_and_answers(given):
    dynamic = others.dynamic_int8(given.content, {})
    assert (logits(dynamic, given).argmax(1) == logits(given.content, given).argmax(1)).mean() > 0.9
    assert coverage(dynamic) == 1.0


def test_zeros_take_as_much_room_as_any_number(given):
    """A file of masked weights is not smaller, whatever its masks or its zip would say."""
    held = others.masks(given.model, 0.8)
    assert {name: round(1 - float(mask.mean()), 1) for name, mask in held.items()} == dict.fromkeys(held, 0.8)
    bare = others.zeroed(trained(given.task, steps=1), held)
    stated = {**given.task.exported(), "net": bare.spec, "dataset": given.task.dataset, "trainer": "1"}
    sparse = export.to_onnx(bare, TrainRows(given.task).sample(8, 0), stated)
    assert len(sparse) == pytest.approx(len(given.content), rel=0.01)
    assert len(zlib.compress(sparse)) < 0.7 * len(sparse)


def test_a_first_layer_of_few_channels_may_stay_in_floating_point(given):
    rows = TrainRows(given.task)
    with Quantizer(given.content, rows, 256, 0) as quantizer:
        thin = quantizer.thin_layer()
        assert quantizer.label(thin) == "1. Conv 12 x 1 x 3 x 3"
        content = quantizer.quantize({}, but=[thin])
    assert coverage(content) == 0.75
    assert coverage(content, left_out=1) == 1.0


@pytest.mark.parametrize(("seconds", "left"), [(0.5, 1), (1.0, 0), (2.0, 0)])
def test_it_stays_there_only_where_that_is_faster(given, monkeypatch, seconds, left):
    settings = Settings(rounds=5)
    lesson = Lesson(settings, torch.device("cpu"), half=False)
    task = SimpleNamespace(content=given.content, network=None, task=given.task, states={})
    maker = candidates.Maker(task, TrainRows(given.task), settings, lesson, stop=Stop())
    timing = Timing(64, [1.0] * 5, [seconds] * 5, [1.01] * 5)
    monkeypatch.setattr(candidates.measure, "timed", lambda *_, **_more: {64: timing})
    made = maker.make(candidates.Plan("int8", "int8", ""))
    assert made.left_out == left
    assert coverage(made.content) == (0.75 if left else 1.0)
    assert [note.partition(" stays")[0] for note in made.notes] == ["1. Conv 12 x 1 x 3 x 3"] * left
