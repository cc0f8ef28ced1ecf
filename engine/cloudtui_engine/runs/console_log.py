"""The console log on this machine: exactly the bytes that the cursor says are here."""

from __future__ import annotations

import os
from pathlib import Path

TAIL = 32
"""Bytes before the cursor by which a host's file is known again."""


def cut_back(path: Path, offset: int) -> tuple[int, bytes]:
    """Drop what was appended but never committed.

    Returns:
        How many bytes are here, and the last of them: fewer than `offset` where the file was lost or a power
        cut
        took its end, so that the rest is fetched again.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size > offset:
            os.ftruncate(descriptor, offset)
        here = min(size, offset)
        return here, os.pread(descriptor, min(TAIL, here), max(0, here - TAIL))
    finally:
        os.close(descriptor)


def append(path: Path, offset: int, data: bytes) -> None:
    """Put bytes at their place, and nothing behind them."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written
        os.ftruncate(descriptor, offset)
    finally:
        os.close(descriptor)


def last_line(path: Path, within: int = 4096) -> str:
    """The last line that is not empty, within the last bytes; empty where there is none. Not cleaned."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - within))
            lines = file.read().decode(errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line for line in reversed(lines) if line.strip()), "")
