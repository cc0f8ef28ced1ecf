"""What somebody did, as the command that does it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Logged:
    """One action, from its begin to its end as far as it is known. Its texts are safe to show."""

    id: int
    t: float
    action: str
    """Its id in the registry: `run.stop`."""
    command: str
    """On one line, without secrets."""
    by: str
    """`desktop` or `terminal`."""
    state: str = "begun"
    """Then `done`, `failed`, or `interrupted`; of its operations it says nothing."""
    message: str = ""
    """Why it failed."""
    ended_at: float | None = None
    operations: tuple[str, ...] = ()
    """The ids of those that it committed."""
