"""Data of a store of objects on its way to be a dataset here."""

from __future__ import annotations

from dataclasses import dataclass

FETCH = "dataset.fetch"
"""The kind of its operation."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One of them, as its operation tells of it."""

    id: str
    """Of the operation."""
    name: str
    """Of the dataset."""
    source: str
    state: str
    """`waiting` (for its turn, or for an engine) or `running`."""
    text: str
    """What is being done."""
    done: int
    """Of what `text` counts: bytes, as long as it is fetched."""
    total: int
    """0: not known."""
    since: float

    @property
    def share(self) -> float | None:
        """How much is done; None: not known."""
        return self.done / self.total if self.total else None
