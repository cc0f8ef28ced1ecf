"""A command that was committed: who asked for what, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class OperationState(StrEnum):
    """How far an operation is."""

    PENDING = "pending"
    RUNNING = "running"
    NEEDS_YOU = "needs_you"
    """It waits for an answer; `question` says which."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        """It will not change any more."""
        return self in {OperationState.DONE, OperationState.FAILED, OperationState.CANCELLED}


@dataclass(frozen=True, slots=True)
class Operation:
    """One command."""

    id: str
    kind: str
    """For instance `run.start`."""
    target: str
    """The id of what it acts on."""
    args: Mapping[str, Any]
    key: str
    """Idempotency: a second operation with the same key is the first one."""
    state: OperationState
    question: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    """`text`, and `done` and `total` where they are known."""
    result: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] = field(default_factory=dict)
    """`code`, `message`, `hint`."""
    pickups: int = 0
    """How many engines took it up; more than one means that an engine died over it."""
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
