"""Names that strangers chose for files: of members of archives, and of objects in a bucket."""

from __future__ import annotations

import unicodedata

DEEPEST = 32
LONGEST = 255


def why_not(path: str) -> str:
    """Why this cannot be a file's path below a folder of ours, as the middle of a sentence; empty: it can."""
    parts = path.split("/")
    if len(parts) > DEEPEST:
        return f"it lies more than {DEEPEST} folders deep"
    return next(filter(None, map(_why_not_a_name, parts)), "")


def _why_not_a_name(part: str) -> str:
    if part in {"", ".", ".."}:
        return f"a part of its path is '{part}'"
    if "\\" in part or any(unicodedata.category(one) in {"Cc", "Cs"} for one in part):
        return "its path holds a backslash or a control character"
    if len(part.encode(errors="replace")) > LONGEST:
        return f"a name in its path has more than {LONGEST} bytes"
    return ""
