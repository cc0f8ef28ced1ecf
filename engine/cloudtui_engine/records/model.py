"""A model version: what a run learned, or a smaller variant of it, as files that last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.records.run import Artifact


@dataclass(frozen=True, slots=True)
class Model:
    """One version of a model."""

    id: str
    name: str
    version: int
    run_id: str
    task: str
    architecture: str
    dataset: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    reports: Mapping[str, Any] = field(default_factory=dict)
    """Evaluations by split, as the run reported them."""
    files: tuple[Artifact, ...] = ()
    alias: tuple[str, ...] = ()
    created_at: float = 0.0
    attempt: int = 1
    """Whose files they are, of the run's attempts."""
    variant: str = ""
    """Which of the variants of a compression it is; empty for what a training left."""
    parent_id: str | None = None
    parent: str | None = None
    """`name@version` of the model that it was made from."""
    cost_usd: float | None = None
    """What its run has cost; None: its machine had no price."""

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"
