"""The periods of a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How a session watches its link."""

    ping_s: float = 3.0
    """A ping so often: silence that lasts longer than a few of them shows."""
    dead_s: float = 20.0
    """After so much silence the session closes itself."""
    start_s: float = 30.0
    """How long the host part may take to start: login shells can be slow."""
    request_s: float = 30.0


DEFAULT_TIMING = Timing()
