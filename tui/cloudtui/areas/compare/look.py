"""What the tabs of a comparison ask for."""

from __future__ import annotations

from textual.message import Message


class LookAt(Message):
    """This metric is to be shown, in the list and as curves."""

    def __init__(self, metric: str) -> None:
        super().__init__()
        self.metric = metric


class FocusRun(Message):
    """This run is the one that is looked at: the list's cursor goes there."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run
