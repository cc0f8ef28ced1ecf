"""What a GPU did in a minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU at one moment."""

    t: float
    """By our clock."""
    gpu: int
    utilization: float
    """Percent."""
    memory_used: float | None = None
    """Bytes."""
    memory: float | None = None
    """All that it has."""


@dataclass(frozen=True, slots=True)
class GpuMinute:
    """One GPU over one minute."""

    minute: int
    """Since the epoch."""
    gpu: int
    utilization: float
    """The mean, in percent."""
    memory_used: float | None
    """The most, in bytes."""
    memory: float | None


def samples_of(gpus: Iterable[Mapping[str, Any]], t: float) -> list[GpuSample]:
    """GPUs as the verb `gpus` tells of them, as samples; those that tell no use are left out."""
    return [
        GpuSample(t, gpu["index"], gpu["utilization"], gpu.get("memory_used_bytes"), gpu.get("memory_bytes"))
        for gpu in gpus
        if gpu.get("utilization") is not None
    ]
