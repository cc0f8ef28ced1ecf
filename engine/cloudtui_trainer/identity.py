"""Which trainer this is: the hash of its own source, for what it leaves."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


@functools.cache
def trainer_sha256() -> str:
    """The sha256 over the names and contents of this package's modules."""
    top = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(top.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(top).as_posix()}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()
