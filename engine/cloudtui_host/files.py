"""Small files that are whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from typing import Any, BinaryIO, Dict, Optional, Union

SLOT = "exit.slot"
SLOT_BYTES = 4096
MAX_JSON = 4 * 1024 * 1024


def nameless() -> BinaryIO:
    """A file without a name, in memory since it may hold secrets; on a disk only where nothing else is.

    Pythons that were built for old systems have no memfd_create; /dev/shm is memory, too.
    """
    try:
        return open(os.memfd_create("cloudtui"), "w+b")
    except (OSError, AttributeError):
        with contextlib.suppress(OSError):
            return tempfile.TemporaryFile(dir="/dev/shm")
        return tempfile.TemporaryFile()


def text(path: str, most: int = 1 << 20) -> str:
    """What a small file says, without the space around it; empty where it cannot be read."""
    try:
        with open(path, "rb") as handle:
            return handle.read(most).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def sync_folder(path: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # Some network file systems refuse it for folders; the rename itself still holds.
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: Union[bytes, memoryview]) -> None:
    """Write every byte, or raise OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def write_new(path: str, content: bytes, mode: int = 0o600) -> None:
    """Create a file that must not exist yet, durably. Its name is durable once its folder is."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_json(obj: Any) -> bytes:
    """The bytes that a JSON file holds."""
    return json.dumps(obj, sort_keys=True).encode() + b"\n"


def write_json(path: str, obj: Any) -> None:
    """Put a JSON file in place durably: a reader sees the old one, none, or all of the new one."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, ".%s.%d" % (name, os.getpid()))
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        write_new(temporary, to_json(obj))
        os.rename(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def read_json(path: str) -> Optional[Dict[str, Any]]:
    """The object in a JSON file, or None where it is missing, torn, too long or no object."""
    try:
        with open(path, "rb") as handle:
            content = handle.read(MAX_JSON + 1)
        obj = json.loads(content) if len(content) <= MAX_JSON else None
    except (OSError, ValueError, RecursionError):
        return None
    return obj if isinstance(obj, dict) else None


def reserve_exit(folder: str) -> None:
    """Set aside the space of the exit record, so that a full disk cannot swallow it."""
    write_new(os.path.join(folder, SLOT), b" " * SLOT_BYTES)


def write_exit(folder: str, record: Dict[str, Any]) -> None:
    """Write the exit record into the reserved space and rename it into place; works on a full disk."""
    record = dict(record, reason=str(record.get("reason", ""))[:500])
    content = to_json(record).rstrip().ljust(SLOT_BYTES - 1) + b"\n"
    slot = os.path.join(folder, SLOT)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(slot, flags, 0o600)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(slot, os.path.join(folder, "exit.json"))
    sync_folder(folder)
