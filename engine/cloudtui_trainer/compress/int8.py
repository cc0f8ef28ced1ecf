"""Static int8 by ONNX Runtime: ranges from train rows, and a count of what really runs in integers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from cloudtui_trainer import export
from cloudtui_trainer.compress import files
from cloudtui_trainer.compress.kl import divergence
from cloudtui_trainer.compress.rows import CalibrationReader, TrainRows

CPUINFO = Path("/proc/cpuinfo")
ENOUGH = 0.9
"""Coverage under which a file is not what its name says."""
_THIN = 4
"""Channels at most: grey or coloured pictures."""
_HEAVY = frozenset(
    {"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "NhwcFusedConv"}
)
_INTEGER = frozenset(
    {
        "QLinearConv", "QGemm", "QLinearMatMul", "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat",
        "DynamicQuantizeMatMul", "QLinearConvTranspose",
    }
)  # fmt: skip


def has_vnni() -> bool:
    """Whether this CPU adds up products of bytes without saturating half way. Unknown counts as yes."""
    try:
        flags = CPUINFO.read_text()
    except OSError:
        return True
    return "flags" not in flags or "vnni" in flags


class Quantizer:
    """One float file on its way to int8, its ranges found once for all that is tried."""

    def __init__(self, content: bytes, rows: TrainRows, count: int, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cloudtui-int8-")
        self._prepared = Path(self._folder.name) / "prepared.onnx"
        self._ranges = Path(self._folder.name) / "ranges.json"
        self._states = files.stated(content)
        proto = files.read(content)
        # Folding and fusing first: a batch-norm beside its convolution would stay in floating point.
        given = Path(self._folder.name) / "given.onnx"
        onnx.save(proto, given)
        with export.quiet():
            quant_pre_process(str(given), str(self._prepared), skip_symbolic_shape=True)
        prepared = onnx.load(self._prepared)
        for number, node in enumerate(prepared.graph.node):
            node.name = node.name or f"{node.op_type}-{number}"
        onnx.save(prepared, self._prepared)
        self._weights = {value.name: value for value in prepared.graph.initializer}
        self._nodes = [node for node in prepared.graph.node if node.op_type in _HEAVY]
        self._reader = CalibrationReader(rows, count, seed, proto.graph.input[0].name)

    def __enter__(self) -> Quantizer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._folder.cleanup()

    def quantize(
        self, states: Mapping[str, Any], *, only: Sequence[str] = (), but: Sequence[str] = ()
    ) -> bytes:
        """The file in int8: weights by output channel and signed, what flows between them unsigned.

        Args:
            states: what the file says of itself, beside what the float file says.
            only: names of the nodes to do; none is all.
            but: names of nodes to leave in floating point.
        """
        path = Path(self._folder.name) / "int8.onnx"
        with export.quiet():
            quantize_static(
                str(self._prepared),
                str(path),
                self._reader,
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=not has_vnni(),
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                calibration_cache_path=self._ranges,
                nodes_to_quantize=list(only),
                nodes_to_exclude=list(but),
            )
        proto = onnx.load(path)
        del proto.graph.value_info[:]
        return files.written(proto, {**self._states, **states})

    def sensitivity(
        self, inputs: npt.NDArray[Any], look: Callable[[], None] = lambda: None
    ) -> dict[str, float]:
        """What each layer in int8, alone, changes of the outputs: nats by the name of its node.

        Args:
            inputs: rows of train.
            look: called at each layer; ends it by raising.
        """
        expected = self._outputs(self._prepared.read_bytes(), inputs)
        found = {}
        for node in self._nodes:
            look()
            found[node.name] = divergence(
                expected, self._outputs(self.quantize({}, only=[node.name]), inputs)
            )
        return found

    def thin_layer(self) -> str:
        """The name of a first convolution that sees few channels, or nothing.

        Gathering its inputs byte by byte can take longer than its products do in floating point.
        """
        first = self._nodes[0] if self._nodes else None
        if first is None or first.op_type != "Conv" or first.input[1] not in self._weights:
            return ""
        return str(first.name) if self._weights[first.input[1]].dims[1] <= _THIN else ""

    def label(self, name: str) -> str:
        """A node's name in words: what it is, and the shape of its weights."""
        place = [node.name for node in self._nodes].index(name)
        weights = [self._weights[part] for part in self._nodes[place].input if part in self._weights]
        shape = " x ".join(str(side) for side in weights[0].dims) if weights else "?"
        return f"{place + 1}. {self._nodes[place].op_type} {shape}"

    @staticmethod
    def _outputs(content: bytes, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        session = files.session(content)
        (found,) = session.run(None, {session.get_inputs()[0].name: inputs})
        logits: npt.NDArray[np.float32] = found
        return logits


def coverage(content: bytes, left_out: int = 0) -> float:
    """The share of heavy layers (convolutions, matrix products) that run in integers.

    Counted in the graph that ONNX Runtime makes of the file when it is opened, for what was asked of the
    quantizer and what runs are two things.

    Args:
        content: the file.
        left_out: how many were not asked for.
    """
    with tempfile.TemporaryDirectory(prefix="cloudtui-graph-") as folder:
        path = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        nodes = [node.op_type for node in onnx.load(path).graph.node]
    integers = sum(kind in _INTEGER for kind in nodes)
    heavy = integers + sum(kind in _HEAVY for kind in nodes) - left_out
    return min(1.0, integers / heavy) if heavy > 0 else 0.0
