"""The message from the confusion to the errors."""

from __future__ import annotations

from textual.message import Message


class OpenErrors(Message):
    """Show the errors of one cell, truth and prediction; all, if None."""

    def __init__(self, cell: tuple[str, str] | None) -> None:
        super().__init__()
        self.cell = cell
