"""A list with keys of its own, which its area knows the meaning of."""

from __future__ import annotations

from textual.message import Message

from cloudtui.widgets.table import Table


class WishingTable(Table):
    """Its `BINDINGS` give names of wishes to `wish`; the area grants them."""

    class Wished(Message):
        """Something is to be done with the list, or with the row under the cursor."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def action_wish(self, name: str) -> None:
        """Ask the area for it."""
        self.post_message(self.Wished(name))
