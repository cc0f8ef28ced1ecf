"""How good a model version is on the rows of one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One report `evaluation/<split>`, of a training or of an evaluation."""

    model: str
    """`name@version`."""
    model_id: str
    dataset: str
    split: str
    run_id: str
    """The training or the evaluation that it is from."""
    t: float
    report: Mapping[str, Any] = field(default_factory=dict)
    """As the job reported it; the fields are those of `engine/DESIGN.md`."""
    dataset_id: str | None = None
