"""What a host says of an attempt, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ENDED = frozenset({"exited", "stillborn", "lost-killed", "lost-reboot", "missing"})
"""States after which nothing more is written."""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """The host's word on one attempt; the states are those of the wire (engine/DESIGN.md)."""

    state: str
    code: int | None = None
    """The exit status, where one was recorded."""
    signal: int | None = None
    reason: str = ""
    stopped: bool = False
    """Somebody on the host asked it to end, or its machine did."""
    ended_at: float | None = None
    """By the host's clock."""
    sources: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each journal when it was asked."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is written."""
        return self.state in ENDED
