"""A source that was looked at: the one shape that every kind of source takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from cloudtui_engine.data.tables import Finding

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Opened:
    """All that is known before the rows themselves are read."""

    task: str
    classes: tuple[str, ...]
    labels: npt.NDArray[Any]
    """The class number of each row."""
    given: npt.NDArray[Any]
    """The split of each row as the source has it, or `splits.UNSPLIT`."""
    shape: tuple[int, ...]
    """Of one row."""
    batches: Callable[[Progress], Iterator[npt.NDArray[Any]]]
    """The rows in the order of `labels`, some at a time."""
    features: Mapping[str, Any] = field(default_factory=dict)
    """What a server must do to raw input before the fitted numbers apply, for instance size and mode."""
    findings: Sequence[Finding] = field(default_factory=tuple)
    """What was noticed on the way."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from; no path and no time, so that the same content has the same hash."""
