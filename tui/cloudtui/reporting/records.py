"""What a report is made of: read once, in one place; from here on nothing is read any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.records.run import Attempt, Run


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some neighbouring points of a curve: the step in their middle, and their finite values."""

    step: float
    low: float | None
    high: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Reported:
    """A run with all that a report tells of it."""

    run: Run
    curves: Mapping[str, Sequence[Stretch]] = field(default_factory=dict)
    """By key."""
    attempts: Sequence[Attempt] = ()
    evaluations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By split, as the host reported them."""
    compressions: Sequence[Mapping[str, Any]] = ()
