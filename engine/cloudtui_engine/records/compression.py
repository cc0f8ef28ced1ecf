"""What a compression of a model version tried, and its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.records.run import RunState


@dataclass(frozen=True, slots=True)
class Compression:
    """One compression of one model."""

    model: str
    """`name@version` of the model that it began from."""
    model_id: str
    run_id: str
    status: RunState
    t: float
    """When the report was last written; before that, when it was asked for."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """As far as it was measured; empty while there is nothing yet."""
    dataset: str = ""
