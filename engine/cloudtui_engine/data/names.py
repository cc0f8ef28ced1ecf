"""Names in order, and a name that is nearly right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from cloudtui_engine.sanitize import clean_line


def by_number(label: str) -> list[tuple[int, int, str]]:
    """A sort key: class 10 after class 9."""
    return [
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part)
        for part in re.split(r"([0-9]+)", label)
    ]


def nearest(wanted: str, names: Sequence[str]) -> str:
    """A sentence with the names that are most like `wanted`, or with the first few."""
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    close += [name for name in names if name.lower() == wanted.lower() and name not in close]
    shown = ", ".join(clean_line(name, 60) for name in close or names[:12])
    more = "" if close or len(names) <= 12 else f" and {len(names) - 12:,} more"
    return f"Near it: {shown}." if close else f"There are: {shown}{more}."
