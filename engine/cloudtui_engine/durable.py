"""A small file that is whole or as it was, whoever is killed meanwhile."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, text: str) -> Path:
    """Put `text` in the place of `path`, for this user alone to read; it is on the disk when this returns.

    Raises:
        OSError: it cannot be written; what was there is there still.
    """
    part = path.with_name(f".{path.name}-{os.urandom(6).hex()}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)
