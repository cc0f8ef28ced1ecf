"""Where a cloud's key lies: in the environment, or in the file of the cloud's own tool. Read, never kept."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from cloudtui_providers.errors import AuthError

ONE_WORD = re.compile(r"[!-~]+")
KeyFile = tuple[Path, Callable[[str], str]]
"""A file below the home folder, and how the key is read from its text; empty: it is not in there."""


def key(title: str, variable: str, files: Sequence[KeyFile], hint: str) -> str:
    """The key of a cloud.

    Raises:
        AuthError: there is none, or none that could be sent.
    """
    found, where = os.environ.get(variable, "").strip(), variable
    for path, read in files:
        if not found:
            found, where = _in_file(Path.home() / path, read), f"~/{path}"
    if not found:
        raise AuthError(f"There is no key for {title}.", hint)
    if not ONE_WORD.fullmatch(found):
        raise AuthError(f"What {where} has for {title} is no key.", hint)
    return found


def mark(cloud: str, key: str) -> str:
    """What tells a key from others and gives none of it away: the account, where nothing else says it."""
    return hashlib.sha256(f"cloudtui {cloud} {key}".encode()).hexdigest()[:16]


def _in_file(path: Path, read: Callable[[str], str]) -> str:
    try:
        return read(path.read_text(encoding="utf-8")).strip()
    except (OSError, ValueError):  # not there, not ours to read, or no text
        return ""
