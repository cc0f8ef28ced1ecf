"""The model as one ONNX file: raw input in, nothing of this machine inside, proven equal to torch's."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

OPSET = 18
"""Asked for and checked: where the exporter cannot do it, it silently gives another one."""
PARITY_BATCHES = (1, 7, 64)
_LIBRARIES = ("onnx", "onnxscript", "onnxruntime")


class ExportError(Exception):
    """The file cannot be made, or is not the model."""


def missing_libraries() -> list[str]:
    """What an export needs and this host does not have."""
    return [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]


def to_onnx(model: nn.Module, example: torch.Tensor, stated: dict[str, Any]) -> bytes:
    """The file's content, with a batch of any size.

    Args:
        model: on the CPU, in evaluation mode.
        example: a batch of at least two rows.
        stated: `input` and `output` are the names in the graph; all of it is written into the file.

    Raises:
        ExportError: the exporter cannot do this model.
    """
    with quiet():
        try:
            program = torch.onnx.export(
                model,
                (example[:2].contiguous(),),
                dynamo=True,
                opset_version=OPSET,
                input_names=[stated["input"]],
                output_names=[stated["output"]],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            raise ExportError(f"torch cannot export it ({type(error).__name__})") from error
    if program is None:
        raise ExportError("torch gave no program")
    proto = program.model_proto
    opset = {entry.domain: entry.version for entry in proto.opset_import}.get("")
    if opset != OPSET:
        raise ExportError(f"torch gave opset {opset} instead of {OPSET}")
    strip(proto)
    for key, value in sorted(stated.items()):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    content: bytes = proto.SerializeToString()
    return content


def check_parity(content: bytes, model: nn.Module, example: torch.Tensor, stated: dict[str, Any]) -> None:
    """See that ONNX Runtime, reading the file, gives what torch gives.

    Raises:
        ExportError: an output differs by more than rounding, or another class comes first.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    for size in PARITY_BATCHES:
        batch = example[torch.arange(size) % len(example)]
        with torch.no_grad():
            expected = model(batch).numpy()
        (found,) = session.run([stated["output"]], {stated["input"]: batch.numpy()})
        if (
            not np.allclose(found, expected, atol=1e-4, rtol=1e-3)
            or (found.argmax(1) != expected.argmax(1)).any()
        ):
            raise ExportError(
                f"it differs from the model by {np.abs(found - expected).max():.2g} at batch {size}"
            )


def strip(proto: Any) -> None:
    """Take out what the exporter wrote of this machine (source lines, paths), and shapes that go stale."""
    del proto.metadata_props[:]
    proto.doc_string = ""
    for graph in [proto.graph, *proto.functions]:
        graph.doc_string = ""
        del graph.metadata_props[:]
        del graph.value_info[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
    for value in [*proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        value.doc_string = ""
        del value.metadata_props[:]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what the exporter prints, warns of and logs."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
