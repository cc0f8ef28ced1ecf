"""ONNX files as they are written here: read, made small, stated, opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import onnx
import onnxruntime

from cloudtui_trainer import export


def session(content: bytes, threads: int = 1) -> Any:
    """The file as ONNX Runtime runs it, on so many threads that do not spin while they wait."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def sha256(content: bytes) -> str:
    """The name of a content."""
    return hashlib.sha256(content).hexdigest()


def read(content: bytes) -> Any:
    """The graph of a file, without shapes that were true of another one."""
    proto = onnx.load_from_string(content)
    del proto.graph.value_info[:]
    return proto


def stated(content: bytes) -> dict[str, str]:
    """What a file says of itself."""
    return {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


def written(proto: Any, states: Mapping[str, Any]) -> bytes:
    """The file of a graph: nothing of this machine in it, short names, and what it states of itself last."""
    export.strip(proto)
    _shorten(proto.graph)
    used = {node.domain for node in proto.graph.node}
    kept = [entry for entry in proto.opset_import if entry.domain in used or not entry.domain]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    proto.producer_name, proto.producer_version = "cloudtui", ""
    for key, value in sorted(states.items()):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(proto)
    content: bytes = proto.SerializeToString()
    return content


def _shorten(graph: Any) -> None:
    """Number what is inside a graph. In a small int8 file the names are a fifth of its bytes."""
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return
    fixed = {value.name for value in [*graph.input, *graph.output]} | {""}
    names: dict[str, str] = {}

    def short(name: str) -> str:
        return name if name in fixed else names.setdefault(name, f"_{len(names)}")

    for node in graph.node:
        node.name = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    for value in graph.initializer:
        value.name = short(value.name)
