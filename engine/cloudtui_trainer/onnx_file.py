"""An exported file as its readers see it: ONNX Runtime, the names of its input and output, what it states."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.errors import TrainerError


def can_read() -> bool:
    """ONNX Runtime is on this host."""
    return importlib.util.find_spec("onnxruntime") is not None


class OnnxFile:
    """A model that is computed from its file's content.

    Args:
        content: of the file.
        threads: of the CPU; 0 is all cores.

    Raises:
        TrainerError: it is no file of a model with one input and one output.
    """

    def __init__(self, content: bytes, threads: int = 0) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        self._errors = (
            errors.Fail, errors.InvalidArgument, errors.InvalidProtobuf, errors.InvalidGraph,
            errors.NotImplemented, errors.RuntimeException, errors.NoSuchFile,
        )  # fmt: skip
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except self._errors as error:
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
        except self._errors as error:
            raise TrainerError(f"model.onnx cannot be computed: {str(error)[:300]}.") from None
        as_floats: npt.NDArray[np.float32] = np.asarray(found, dtype=np.float32)
        return as_floats
