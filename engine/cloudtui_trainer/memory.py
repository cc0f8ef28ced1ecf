"""How much memory is free, and what it looks like when there is too little."""

from __future__ import annotations

import re
from pathlib import Path

import torch

MEMINFO, CGROUP, CGROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
ERRORS = (MemoryError, RuntimeError)
"""What may be raised for want of memory (torch.OutOfMemoryError is one of them); `ran_out` says if it was."""


def free_bytes(device: torch.device) -> int:
    """What a job may still take on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return min(_available(), *_below_limits())


def ran_out(error: BaseException) -> bool:
    """The error says that memory was too small: a GPU's, or this machine's in torch's words."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "not enough memory: you tried to allocate" in str(error)


def _available() -> int:
    match = re.search(r"^MemAvailable:\s+(\d+) kB", _text(MEMINFO), re.MULTILINE)
    return int(match[1]) * 1024 if match else 2**62


def _below_limits() -> list[int]:
    """What each limit around this process leaves: a container sees all memory, but not all is its own.

    Version 2 of control groups names one folder, and every folder above has a limit, too; version 1 has the
    limit below `memory/`. What a group keeps of files is given back when it is needed, so it counts as free.
    """
    left = [2**62]
    for line in _text(CGROUP).splitlines():
        _, controllers, name = [*line.split(":", 2), "", ""][:3]
        if controllers not in {"", "memory"}:
            continue
        top = CGROUPS / controllers
        folder = top / name.lstrip("/")
        names = ("memory.max", "memory.current", "inactive_file")
        if controllers:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        # Inside a container the name may be one of outside: then the top is the container's own.
        for place in {top, *([folder, *folder.parents] if folder.is_relative_to(top) else [])}:
            if place.is_relative_to(top):
                left.append(_left(place, *names))
    return left


def _left(folder: Path, limit_name: str, used_name: str, cache_name: str) -> int:
    limit, used = _text(folder / limit_name).strip(), _text(folder / used_name).strip()
    if not limit.isdigit() or not used.isdigit():
        return 2**62
    cache = re.search(rf"^{cache_name} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return max(0, int(limit) - int(used) + (int(cache[1]) if cache else 0))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
