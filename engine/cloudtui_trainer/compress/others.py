"""What else is sold for compression: weights in half precision, dynamic int8, weights set to zero.

They are measured beside the rest, so that what they do not give is seen and not believed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from cloudtui_trainer import export
from cloudtui_trainer.compress import files

_LARGEST_HALF = 65504.0


def half_weights(content: bytes, states: Mapping[str, Any]) -> bytes:
    """The file with its weights in half precision, computed with in full: each is cast where it is read."""
    proto = files.read(content)
    graph = proto.graph
    casts = []
    for number, weights in enumerate(list(graph.initializer)):
        array = numpy_helper.to_array(weights)
        if weights.data_type != TensorProto.FLOAT or array.size < 16 or np.abs(array).max() > _LARGEST_HALF:
            continue
        stored = numpy_helper.from_array(array.astype(np.float16), f"half-{number}")
        casts.append(onnx.helper.make_node("Cast", [stored.name], [weights.name], to=TensorProto.FLOAT))
        graph.initializer.remove(weights)
        graph.initializer.append(stored)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return files.written(proto, {**files.stated(content), **states})


def dynamic_int8(content: bytes, states: Mapping[str, Any]) -> bytes:
    """The file with weights in int8, and the ranges of what flows found anew at every call."""
    proto = files.read(content)
    with tempfile.TemporaryDirectory(prefix="cloudtui-int8-") as folder:
        given, made = Path(folder) / "given.onnx", Path(folder) / "made.onnx"
        onnx.save(proto, given)
        with export.quiet():
            quantize_dynamic(str(given), str(made), weight_type=QuantType.QUInt8, per_channel=False)
        result = onnx.load(made)
    del result.graph.value_info[:]
    return files.written(result, {**files.stated(content), **states})


def masks(model: nn.Module, share: float) -> dict[str, torch.Tensor]:
    """What stays when the smallest `share` of each tensor is set to zero: 1 where it stays, else 0."""
    found = {}
    for name, weight in model.named_parameters():
        if weight.dim() < 2:
            continue
        size = weight.detach().abs().flatten()
        cut = size.kthvalue(max(1, int(share * size.numel()))).values
        found[name] = (weight.detach().abs() > cut).to(weight.dtype)
    return found


def zeroed(model: nn.Module, held: Mapping[str, torch.Tensor]) -> nn.Module:
    """The model with these weights set to zero."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in held:
                weight.mul_(held[name])
    return model
