"""An exported file as its readers see it: ONNX Runtime, the names of its input and output, what it states."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.errors import TrainerError


def can_read() -> bool:
    """ONNX Runtime is on this host."""
    return importlib.util.find_spec("onnxruntime") is not None


def errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises of a file that it cannot open or compute."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail, state.InvalidArgument, state.InvalidProtobuf, state.InvalidGraph,
        state.NotImplemented, state.RuntimeException, state.NoSuchFile,
    )  # fmt: skip


class OnnxFile:
    """A model that is computed from its file's content.

    Args:
        content: of the file.
        threads: of the CPU; 0 is all cores.

    Raises:
        TrainerError: it is no file of a model with one input and one output, or names other files.
    """

    def __init__(self, content: bytes, threads: int = 0) -> None:
        import onnxruntime

        if importlib.util.find_spec("onnx"):
            _see_it_is_whole(content)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except errors() as error:
            raise TrainerError(
                f"model.onnx cannot be read: {str(error)[:300]}.", "Export it again."
            ) from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise TrainerError(
                f"model.onnx has {len(inputs)} inputs and {len(outputs)} outputs, not one of each."
            )
        self.input, self.output = inputs[0].name, outputs[0].name
        self.shape: list[Any] = list(inputs[0].shape)
        self.stated: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def outputs(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """What it gives for a batch.

        Raises:
            TrainerError: it cannot be computed for such rows.
        """
        try:
            (found,) = self._session.run([self.output], {self.input: rows})
        except errors() as error:
            raise TrainerError(f"model.onnx cannot be computed: {str(error)[:300]}.") from None
        as_floats: npt.NDArray[np.float32] = np.asarray(found, dtype=np.float32)
        return as_floats


def _see_it_is_whole(content: bytes) -> None:
    """Its numbers are in the file: what it names instead may be any file, and ONNX Runtime would read some.

    Where the library onnx is not on the host, ONNX Runtime's own care is all: it refuses what lies outside
    of the folder that the job runs in.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load_from_string(content).graph
    except DecodeError as error:
        raise TrainerError(f"model.onnx cannot be read: {error}.", "Export it again.") from None
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(graph)):
        raise TrainerError("model.onnx has its numbers in other files.", "Export it as one file.")


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner)
