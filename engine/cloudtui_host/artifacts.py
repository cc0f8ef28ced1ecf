"""What a job left in its `artifacts` or `checkpoints`: regular files with decent names, and their hashes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from typing import Any, Dict, Iterator, List, Optional, Tuple

from cloudtui_host import files
from cloudtui_host.journal import JournalWriter

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+@,() -]{0,127}")
MOST = 10_000
_DEEPEST = 8
_KNOWN = {"artifacts": "artifact-hashes.json", "checkpoints": "checkpoint-hashes.json"}
_TYPES = {
    ".safetensors": "weights",
    ".onnx": "onnx",
    ".json": "json",
    ".csv": "table",
    ".txt": "text",
    ".md": "text",
    ".log": "text",
    ".png": "image",
    ".jpg": "image",
    ".svg": "image",
}


def is_name(name: str) -> bool:
    """Whether an artifact may have this name (with / between folders)."""
    return len(name) <= 512 and all(_PART.fullmatch(part) for part in name.split("/"))


def type_of(name: str) -> str:
    """What kind of file it is, by its name."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), "file")


def _walk(top: str) -> Iterator[Tuple[str, Optional[os.stat_result]]]:
    """(name, stat) of every entry that is no folder; stat None where it cannot be an artifact."""
    folders = [("", 0)]
    while folders:
        below, depth = folders.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(top, below)) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                name = below + entry.name
                if entry.is_dir(follow_symlinks=False) and is_name(name) and depth < _DEEPEST:
                    folders.append((name + "/", depth + 1))
                    continue
                found = entry.stat(follow_symlinks=False)
                yield name, found if stat.S_ISREG(found.st_mode) and is_name(name) else None


def _sha256(path: str) -> Tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as handle:
        while True:
            chunk = handle.read(1 << 20)
            if not chunk:
                return size, digest.hexdigest()
            size += len(chunk)
            digest.update(chunk)


def listing(folder: str, of: str = "artifacts") -> Tuple[List[Dict[str, Any]], List[str]]:
    """The files as `{name, size_bytes, sha256, type}`, and the names of what was passed over.

    Args:
        folder: the attempt's.
        of: which folder in it, a key of `_KNOWN`.
    """
    top = os.path.join(folder, of)
    known = files.read_json(os.path.join(folder, _KNOWN[of])) or {}
    hashed: Dict[str, Any] = {}
    found: List[Dict[str, Any]] = []
    passed: List[str] = []
    for name, seen in _walk(top):
        if seen is None or len(found) >= MOST:
            passed.append(name.encode("utf-8", "backslashreplace").decode())
            continue
        mark = [seen.st_ino, seen.st_size, seen.st_mtime_ns]
        before = known.get(name)
        try:
            if isinstance(before, list) and before[:3] == mark:
                size, sha = seen.st_size, str(before[3])
            else:
                size, sha = _sha256(os.path.join(top, name))
        except (OSError, IndexError):
            passed.append(name)
            continue
        hashed[name] = [*mark, sha]
        found.append({"name": name, "size_bytes": size, "sha256": sha, "type": type_of(name)})
    if hashed != known:
        with contextlib.suppress(OSError):
            files.write_json(os.path.join(folder, _KNOWN[of]), hashed)
    return found, passed


def record(folder: str, writer: Optional[JournalWriter]) -> None:
    """Write the artifacts into the system journal, as far as the disk lets us."""
    found, passed = listing(folder)
    if writer is None:
        return
    with contextlib.suppress(OSError):
        for one in found:
            writer.write("artifact", **one)
        if passed:
            writer.write(
                "event", name="artifacts_passed_over", data={"names": passed[:100], "count": len(passed)}
            )
        writer.flush()
