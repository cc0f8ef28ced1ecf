"""A filter of runs under a name that a person gave it."""

from __future__ import annotations

from dataclasses import dataclass

VIEWS = "finding.views"
"""The setting that holds them, by name."""


@dataclass(frozen=True, slots=True)
class View:
    """What is listed, and in which order."""

    name: str
    filter: str
    """In the language of `catalog/query.py`; the order is in it, too."""
    columns: tuple[str, ...] = ()
    """What is told of each run; nothing: what is told of all."""
