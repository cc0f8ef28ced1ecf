"""Checkpoints on disk: one file each, whole or not at all, and known to be whole without torch.

A file is one line of JSON (step, fingerprint, size and sha256 of what follows) and then what `torch.save`
wrote. The newest two are kept; each holds the best weights so far.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
KEPT = 2
_SUFFIX = ".ckpt"
_HEADER = 4096
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was found whole."""

    path: Path
    step: int
    offset: int
    """Where the state begins."""

    def load(self, device: Any) -> dict[str, Any]:
        """Its state, on `device`. Nothing in the file is executed."""
        import torch

        with self.path.open("rb") as file:
            file.seek(self.offset)
            state = torch.load(io.BytesIO(file.read()), map_location=device, weights_only=True)
        return dict(state)


def newest(folders: Iterable[Path], fingerprint: str) -> tuple[Checkpoint | None, list[str]]:
    """The whole checkpoint with the highest step, and what is wrong with each newer one.

    Args:
        folders: where to look.
        fingerprint: what it must agree with.
    """
    files = [path for folder in folders if folder.is_dir() for path in folder.glob(f"*{_SUFFIX}")]
    wrong: list[str] = []
    for path in sorted(files, key=lambda path: path.name, reverse=True):
        try:
            found, why = _examined(path, fingerprint)
        except OSError as error:
            found, why = None, str(error.strerror)
        if found:
            return found, wrong
        wrong.append(f"{path.parent.parent.name}/{path.name}: {why}")
    return None, wrong


def save(folder: Path, step: int, fingerprint: str, state: Mapping[str, Any]) -> Path:
    """Write a checkpoint durably, then remove all but the newest two in `folder`.

    Raises:
        OSError: it could not be written; what was there is as it was.
    """
    import torch

    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    body = buffer.getbuffer()
    header = {
        "format": FORMAT, "step": step, "fingerprint": fingerprint,
        "size": len(body), "sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    path = folder / f"step-{step:012d}{_SUFFIX}"
    write_durably(path, [json.dumps(header).encode() + b"\n", body])
    for old in sorted(folder.glob(f"*{_SUFFIX}"))[:-KEPT]:
        old.unlink()
    return path


def write_durably(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write a file beside its place, make it durable, then put it there.

    Raises:
        OSError: it could not be written; what was there is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _examined(path: Path, fingerprint: str) -> tuple[Checkpoint | None, str]:
    with path.open("rb") as file:
        line = file.readline(_HEADER)
        try:
            header = json.loads(line)
            step, size, expected = int(header["step"]), int(header["size"]), str(header["sha256"])
        except (ValueError, KeyError, TypeError):
            return None, "damaged"
        if header.get("format") != FORMAT or header.get("fingerprint") != fingerprint:
            return None, "made with other data or parameters"
        digest = hashlib.sha256()
        length = 0
        while piece := file.read(_CHUNK):
            digest.update(piece)
            length += len(piece)
    if length != size or digest.hexdigest() != expected:
        return None, "damaged"
    return Checkpoint(path, step, len(line)), ""
