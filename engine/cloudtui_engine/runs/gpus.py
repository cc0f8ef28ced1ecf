"""Which GPUs of a host a job may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.sanitize import clean_line


def choose(gpus: Sequence[Mapping[str, Any]], wanted: str | None) -> list[int] | None:
    """The GPU indices for `wanted`: `auto`, `0,2` (these) or `N` (so many, free ones).

    None leaves the choice to the program: the host has no GPU, or nothing was asked for.

    Raises:
        RefusedError: none is free; the message names who holds them and how much memory.
        UsageError: `wanted` cannot be read, or names a GPU that is not there.
    """
    if not wanted:
        return None
    if wanted == "auto":
        return _free(gpus, 1) if gpus else None
    if "," in wanted:
        return _named(gpus, wanted)
    if not wanted.isdigit() or wanted == "0":
        raise UsageError(
            f"--gpus {wanted} is no choice.", "Use auto, a number of GPUs, or indices such as 0,2."
        )
    return _free(gpus, int(wanted))


def _named(gpus: Sequence[Mapping[str, Any]], wanted: str) -> list[int]:
    parts = [part for part in wanted.split(",") if part]
    if not all(part.isdigit() for part in parts):
        raise UsageError(
            f"--gpus {wanted} is no choice.", "Use auto, a number of GPUs, or indices such as 0,2."
        )
    indices = [int(part) for part in parts]
    there = {int(gpu["index"]) for gpu in gpus}
    missing = [index for index in indices if index not in there]
    if missing:
        raise UsageError(f"The host has no GPU {missing[0]}.", f"It has {sorted(there) or 'none'}.")
    return indices


def _free(gpus: Sequence[Mapping[str, Any]], count: int) -> list[int]:
    free = [int(gpu["index"]) for gpu in gpus if not gpu.get("processes")]
    if len(free) >= count:
        return free[:count]
    holders = "; ".join(
        f"GPU {gpu['index']}: {clean_line(str(process.get('user', '?')), 40)} uses"
        f" {int(process.get('memory_bytes') or 0) / 2**30:.1f} GiB"
        for gpu in gpus
        for process in gpu.get("processes") or ()
    )
    raise RefusedError(
        f"{count} free GPU{'s' if count > 1 else ''} asked for, {len(free)} free. {holders}".strip(),
        "Wait, choose other GPUs with --gpus 0,2, or another instance with --on.",
        code="gpu_busy",
    )
