"""A port of a machine that is to be had here, for as long as somebody wants it."""

from __future__ import annotations

from dataclasses import dataclass

FORWARD, JUPYTER = "instance.forward", "instance.jupyter"
"""Kinds of operations, each carried out for as long as somebody wants it."""
LASTING = frozenset({FORWARD, JUPYTER})
END_JUPYTER = "instance.jupyter_end"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One of them, as its operation tells of it."""

    id: str
    """Of the operation."""
    instance: str
    name: str
    """Of the machine."""
    kind: str
    """`port` or `jupyter`."""
    remote: int
    """The port there; 0: not known yet."""
    local: int
    """The port here; 0: none yet."""
    state: str
    """`starting`, `open`, `waiting` (for its host or its engine) or `needs_you`."""
    why: str
    """Why it waits, or what came of the newest connection; how far it is."""
    since: float

    @property
    def is_open(self) -> bool:
        """Connections are carried."""
        return self.state == "open"
