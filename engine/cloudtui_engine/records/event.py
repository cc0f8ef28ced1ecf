"""Something that happened and is told in a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREEMPTION = "preemption"
"""The event of a machine's own journal that its cloud takes it back."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an object's history."""

    t: float
    subject: str
    """The id of the run, instance or operation."""
    level: str
    """info, warning or error."""
    name: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
