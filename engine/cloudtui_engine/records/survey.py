"""Machines that bear the mark of any home, as clouds list them: what a new home finds of a lost one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.records.instance import Address
from cloudtui_engine.records.launch import Orphan

SURVEY = "fleet.survey"
"""The operation that asks a cloud for the machines of every home."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A machine that some home launched, and that this one has no row of."""

    machine: Orphan
    owner: str = ""
    """The id of the home that it is marked with; empty: its cloud does not say."""
    created_at: float | None = None
    """By its cloud's clock."""
    deadline_at: float | None = None
    """As its tag has it; None: no tag, or its cloud keeps none."""

    def as_dict(self) -> dict[str, Any]:
        """As an operation keeps it."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Stranger:
        """What an operation kept."""
        machine = kept["machine"]
        orphan = Orphan(**{**machine, "address": Address(**machine["address"])})
        return cls(orphan, kept["owner"], kept["created_at"], kept["deadline_at"])


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is known of one cloud: its newest answer, and how the newest question goes."""

    provider: str
    found: tuple[Stranger, ...] = ()
    regions: int = 0
    """So many were asked."""
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Those that were not seen whole, and why: what they listed before is still told, with its age."""
    asked_at: float | None = None
    """When it answered last; None: never."""
    asking: str = ""
    """How far the question is that is under way; empty: none is."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """Why the newest question has no answer: `code`, `message`, `hint`."""

    @property
    def is_whole(self) -> bool:
        """Every region has answered the newest question, so what is not listed is not there."""
        return self.asked_at is not None and not self.error and not self.incomplete

    @property
    def is_unused(self) -> bool:
        """It could never be asked from this machine: no library, or no credentials that it takes."""
        return self.asked_at is None and self.error.get("code") in {"not_installed", "auth"}

    @classmethod
    def of(cls, provider: str, result: Mapping[str, Any]) -> Surveyed:
        """What an operation kept."""
        found = tuple(Stranger.of(one) for one in result.get("found", ()))
        return cls(
            provider,
            found,
            int(result.get("regions", 0)),
            result.get("incomplete", {}),
            result.get("asked_at"),
        )
