"""Weights in the safetensors format, written and read by hand: they outlive the run and cross machines.

By hand, for the format is a length, a JSON header and the bytes; many hosts have torch but not the library,
and nothing in such a file can run. What is read may come from anywhere, so every length is held against the
file's before it is believed.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.checkpoints import write_durably
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import build

MOST_HEADER = 100_000_000
"""As the library has it."""
_DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL",
}  # fmt: skip
_NAMED = {name: dtype for dtype, name in _DTYPES.items()}


class WeightsError(TrainerError):
    """The file of weights cannot be used."""


def write_safetensors(
    path: Path, model: nn.Module | Mapping[str, torch.Tensor], stated: Mapping[str, Any]
) -> None:
    """Write a model's weights, and what is `stated` of them (text as it is, all else as JSON).

    Raises:
        OSError: it could not be written; what was there is as it was.
    """
    header: dict[str, Any] = {"__metadata__": {key: _text(value) for key, value in stated.items()}}
    parts: list[bytes] = []
    offset = 0
    tensors = model.state_dict() if isinstance(model, nn.Module) else model
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        data = value.reshape(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b""
        span = [offset, offset + len(data)]
        header[name] = {"dtype": _DTYPES[value.dtype], "shape": list(value.shape), "data_offsets": span}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_durably(path, [struct.pack("<Q", len(text)), text, *parts])


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a file, on the CPU, and its metadata.

    Raises:
        WeightsError: it cannot be read, or its header does not fit what follows it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"Cannot read the weights {path.name}: {error.strerror}.") from None
    try:
        return _parsed(content)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(
            f"{path.name} is no whole file of weights (safetensors): {error}.", "Export or pull it again."
        ) from None


def rebuild(path: Path) -> nn.Module:
    """The model of a file, with its weights, on the CPU, in evaluation mode. No dataset is needed.

    Raises:
        WeightsError: the file is damaged, says nothing of its network, or holds other weights.
        TrainerError: this trainer does not know the network.
    """
    tensors, metadata = read_safetensors(path)
    net = stated_net(metadata)
    if net is None:
        raise WeightsError(f"{path.name} does not say what network its weights are of.")
    # Without memory first: what a foreign spec asks for is built only when the file really holds as much.
    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in build(net).state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if expected != found:
        wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
        raise WeightsError(
            f"The weights in {path.name} are not those of its network: {', '.join(wrong[:5])}."
        )
    model = build(net)
    model.load_state_dict(tensors)
    return model.eval()


def stated_net(metadata: Mapping[str, str]) -> dict[str, Any] | None:
    """The spec of the network in a file's metadata, where there is one."""
    try:
        net = json.loads(metadata.get("net", "null"))
    except (ValueError, RecursionError):
        return None
    return net if isinstance(net, dict) else None


def _parsed(content: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if len(content) < 8:
        raise ValueError("it is too short")
    (length,) = struct.unpack("<Q", content[:8])
    if length > min(MOST_HEADER, len(content) - 8):
        raise ValueError("its header is longer than the file")
    header = json.loads(content[8 : 8 + length])
    body = memoryview(bytearray(content[8 + length :]))
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(word, str) for pair in metadata.items() for word in pair):
        raise ValueError("its metadata is not text")
    tensors = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        if first != end:
            raise ValueError(f"{name} overlaps or leaves a gap")
        tensors[name] = _tensor(name, entry, body[first:last], last - first)
        end = last
    if end != len(body):
        raise ValueError("it is longer or shorter than its header says")
    return tensors, metadata


def _tensor(name: str, entry: Mapping[str, Any], data: memoryview, size: int) -> torch.Tensor:
    dtype, shape = _NAMED[entry["dtype"]], entry["shape"]
    if not all(isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in shape):
        raise ValueError(f"{name} has the shape {shape}")
    if math.prod(shape) * dtype.itemsize != size or len(data) != size:
        raise ValueError(f"{name} has not the bytes that its shape needs")
    if not size:
        return torch.empty(shape, dtype=dtype)
    # A copy: the bytes of a file lie anywhere, tensors where their type may lie.
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
