"""A file on a host that is followed: how far it is safely in the catalog."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """The cursor of one followed file. `offset` and `tail` move in the transaction that stores."""

    id: int
    instance_id: str
    run_id: str
    attempt: int
    name: str
    """trainer, system or console."""
    offset: int = 0
    tail: bytes = b""
    """The last (up to 32) bytes before `offset`: a host whose file differs there has rewritten it."""
    damaged: int = 0
    """Complete lines that were no record."""
    alarm: str = ""
    """Not empty: the file was shortened or rewritten, and is not followed any more."""
