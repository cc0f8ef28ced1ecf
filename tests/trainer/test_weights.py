"""Weights on disk: what the library reads, what we read of the library's, and what is refused."""

from __future__ import annotations

import json
import struct

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trainer.test_model import spec

from cloudtui_trainer import weights
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import build
from cloudtui_trainer.weights import (
    WeightsError,
    read_safetensors,
    rebuild,
    write_safetensors,
)


@pytest.fixture
def written(tmp_path):
    """A small network in a file."""
    net = spec("resnet", (1, 8, 8))
    net["stem"] = 4
    net["stages"] = [{"width": 4, "stride": 1, "inner": [3]}]
    torch.manual_seed(0)
    model = build(net).eval()
    path = tmp_path / "model.safetensors"
    write_safetensors(path, model, {"net": net, "labels": ["a", "b"], "note": "text"})
    return path, model


def spoilt(path, change):
    """The file with its header changed by `change(header)`."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def test_a_model_is_rebuilt_from_its_file_alone(written):
    path, model = written
    again = rebuild(path)
    pictures = torch.randint(0, 255, (5, 1, 8, 8), dtype=torch.uint8)
    assert not again.training
    assert torch.equal(again(pictures), model(pictures))


def test_the_library_reads_ours(written):
    path, model = written
    found = safetensors.torch.load_file(path)
    assert set(found) == set(model.state_dict())
    assert all(torch.equal(found[name], tensor) for name, tensor in model.state_dict().items())
    with safetensors.safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["labels"]) == ["a", "b"]
        assert file.metadata()["note"] == "text"


def test_ours_reads_the_librarys_in_all_types(tmp_path):
    path = tmp_path / "theirs.safetensors"
    tensors = {
        "half": torch.randn(3, 2).half(), "brain": torch.randn(5).bfloat16(), "none": torch.zeros(0, 4),
        "one": torch.tensor(7), "flags": torch.tensor([True, False]), "double": torch.randn(2, 2, 2).double(),
        "bytes": torch.arange(9).to(torch.uint8),
    }  # fmt: skip
    safetensors.torch.save_file(tensors, path, {"who": "them"})
    found, metadata = read_safetensors(path)
    assert metadata == {"who": "them"}
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert {name: tensor.dtype for name, tensor in found.items()} == {n: t.dtype for n, t in tensors.items()}


def grow(header):
    name = max(header, key=lambda name: header[name].get("data_offsets", [0])[0])
    header[name]["data_offsets"][1] += 4


@pytest.mark.parametrize(
    "change",
    [
        grow,
        lambda header: header["net.head.bias"].update(shape=[11]),
        lambda header: header["net.head.bias"].update(shape=[-10]),
        lambda header: header["net.head.bias"].update(shape=[2**62, 2**62, 0]),
        lambda header: header["net.head.bias"].update(dtype="F8"),
        lambda header: header["net.head.bias"].update(data_offsets=[0, 40]),
        lambda header: header["net.head.bias"].update(data_offsets=[-40, 0]),
        lambda header: header.pop("net.head.bias"),
        lambda header: header.update(__metadata__={"net": {}}),
        lambda header: header.update(extra=[1, 2]),
    ],
)
def test_a_header_that_lies_is_refused(written, change):
    spoilt(written[0], change)
    with pytest.raises(WeightsError, match="no whole file of weights"):
        read_safetensors(written[0])


@pytest.mark.parametrize("shape", [[2**62, 2**62, 0], [2**70, 0]])
def test_a_shape_of_nothing_that_is_too_large_to_count_is_refused(tmp_path, shape):
    text = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(WeightsError, match="no whole file of weights"):
        read_safetensors(path)


@pytest.mark.parametrize("spans", [((0, 8), (4, 12)), ((0, 8), (12, 20)), ((4, 12), (12, 20))])
def test_tensors_lie_one_after_the_other_and_nothing_between(tmp_path, spans):
    header = {
        name: {"dtype": "F32", "shape": [2], "data_offsets": span}
        for name, span in zip("ab", spans, strict=True)
    }
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(spans[1][1]))
    with pytest.raises(WeightsError, match="overlaps or leaves a gap"):
        read_safetensors(path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\xff" * 64, struct.pack("<Q", 2) + b"[]"])
def test_files_of_something_else_are_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="no whole file of weights"):
        read_safetensors(path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_nothing_but_a_refusal_comes_of_noise(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "x"
    path.write_bytes(struct.pack("<Q", len(noise)) + noise)
    with pytest.raises(WeightsError):
        rebuild(path)


def test_a_file_cut_off_is_refused(written):
    path, _ = written
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(WeightsError, match="no whole file"):
        rebuild(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda net: net.update(stem=60_000), "not those of its network"),
        (lambda net: net.update(model="other"), "no network"),
        (lambda net: net.update(stem=10**12), "makes no sense"),
        (lambda net: net.clear(), "no network"),
    ],
)
def test_a_net_that_asks_for_more_than_the_file_has_is_refused(written, monkeypatch, change, why):
    """Before any memory is taken for it."""

    def without_memory(net):
        built = build(net)
        assert all(weight.is_meta for weight in built.parameters())
        return built

    monkeypatch.setattr(weights, "build", without_memory)

    def changed(header):
        net = json.loads(header["__metadata__"]["net"])
        change(net)
        header["__metadata__"]["net"] = json.dumps(net)

    spoilt(written[0], changed)
    with pytest.raises(TrainerError, match=why):
        rebuild(written[0])


def test_weights_that_do_not_say_their_network(written):
    spoilt(written[0], lambda header: header.pop("__metadata__"))
    with pytest.raises(WeightsError, match="does not say what network"):
        rebuild(written[0])
