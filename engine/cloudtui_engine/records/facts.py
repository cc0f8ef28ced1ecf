"""What a host tells of itself, taken field by field: of its type, bounded and cleaned, or left out. Pure.

What is kept is read by every list of machines: a value of another kind would break them all, for good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cloudtui_engine.errors import FailedError
from cloudtui_engine.sanitize import clean, clean_line

MOST_GPUS = 64
MOST_PROCESSES = 64
MOST_PYTHONS = 32
_INDEX_MOST = 1023
_WHOLE_MOST = (1 << 53) - 1
_NUMBER_MOST = 1e9
_LINE = 200
_PATH = 4096

Check = Callable[[Any], Any]
"""The value as it may be kept; None where it may not."""


def checked_facts(reply: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a probe (engine/DESIGN.md) that may be kept: unknown and wrong fields are left out.

    Raises:
        FailedError: its GPUs or pythons are no list.
    """
    pythons = (_fields(one, _PYTHON) for one in _objects(reply, "pythons", MOST_PYTHONS))
    cpu = reply.get("cpu")
    return {
        **_fields(reply, _FACTS),
        "cpu": _fields(cpu, _CPU) if isinstance(cpu, dict) else {},
        "pythons": [one for one in pythons if one.get("path") and one.get("version")],
        "gpus": checked_gpus(reply.get("gpus")),
    }


def checked_python(value: object) -> dict[str, Any]:
    """What an interpreter told of itself."""
    return _fields(value, _PYTHON) if isinstance(value, dict) else {}


def renewed(known: Mapping[str, Any], fresh: Mapping[str, Any], *, forgive: bool = True) -> dict[str, Any]:
    """The facts of a new probe, with what was learned of the host before and still holds.

    Environments of ours are kept, and what became of the torches that were tried and are still there; one
    that failed is tried again where that is forgiven.
    """
    keys = {f"{one.get('path')} torch {one.get('torch')}" for one in fresh.get("pythons") or ()}
    tested = {
        key: result
        for key, result in (known.get("tested") or {}).items()
        if key in keys and (result.get("ok") or not forgive)
    }
    return {**fresh, "environments": list(known.get("environments") or ()), "tested": tested}


def checked_gpus(value: object) -> list[dict[str, Any]]:
    """The GPUs of a probe, of the verb `gpus` or of a sample; those without an index are left out.

    Raises:
        FailedError: it is no list.
    """
    found: dict[int, dict[str, Any]] = {}
    for one in _objects({"gpus": value}, "gpus", MOST_GPUS):
        gpu = _fields(one, _GPU)
        if gpu.get("index") is None:
            continue
        processes = one.get("processes")
        gpu["processes"] = [
            _fields(process, _PROCESS)
            for process in (processes[:MOST_PROCESSES] if isinstance(processes, list) else ())
            if isinstance(process, dict)
        ]
        found.setdefault(gpu["index"], gpu)
    return list(found.values())


def _objects(reply: Mapping[str, Any], key: str, most: int) -> Iterator[Mapping[str, Any]]:
    value = reply.get(key)
    if value is not None and not isinstance(value, list):
        raise FailedError(
            f"The host's answer has no usable {key!r}.", "Is something else answering there?", code="protocol"
        )
    return (one for one in (value or ())[:most] if isinstance(one, dict))


def _fields(value: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The known fields that are there; None where one is, or cannot be used."""
    return {name: check(value[name]) for name, check in checks.items() if name in value}


def _line(value: Any) -> str | None:
    return clean_line(value, _LINE) if isinstance(value, str) else None


def _text(value: Any) -> str | None:
    return clean(value[:2000]) if isinstance(value, str) else None


def _path(value: Any) -> str | None:
    """It is used as it is, so that one that is not clean is none."""
    if not isinstance(value, str) or not 0 < len(value) <= _PATH or "\n" in value or clean(value) != value:
        return None
    return value


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _WHOLE_MOST else None


def _index(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _INDEX_MOST else None


def _number(value: Any) -> float | None:
    if type(value) is int:
        return value if abs(value) <= _NUMBER_MOST else None
    return value if isinstance(value, float) and math.isfinite(value) and abs(value) <= _NUMBER_MOST else None


_CPU: Mapping[str, Check] = {"model": _line, "cores": _whole}
_PYTHON: Mapping[str, Check] = {"path": _path, "sees_cuda": _flag} | dict.fromkeys(
    (
        "version",
        "torch",
        "cuda",
        "numpy",
        "safetensors",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "sklearn",
        "pillow",
        "polars",
    ),
    _line,
)
_PROCESS: Mapping[str, Check] = {"pid": _whole, "user": _line, "memory_bytes": _whole, "command": _line}
_GPU: Mapping[str, Check] = {
    "index": _index, "name": _line, "memory_bytes": _whole, "memory_used_bytes": _whole,
    "utilization": _number, "temperature_c": _number, "power_w": _number,
}  # fmt: skip
_FACTS: Mapping[str, Check] = (
    dict.fromkeys(("os", "kernel", "arch", "libc", "hostname", "user", "driver", "driver_cuda"), _line)
    | {"python": _path, "uv": _path, "quota": _text}
    | dict.fromkeys(("memory_bytes", "memory_free_bytes", "disk_bytes", "disk_free_bytes"), _whole)
    | dict.fromkeys(("slurm", "systemd_user", "linger", "kill_user_processes", "flock", "container"), _flag)
)
