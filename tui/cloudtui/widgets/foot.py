"""The line below a view: what it shows, and at the right where it stands."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from cloudtui.widgets.lines import OneLine, Runs


class Foot(OneLine):
    """Keys or a sentence at the left, a word at the right."""

    DEFAULT_CSS = "Foot { height: 1; }"
    text = ""
    right = ""

    def show(self, text: str, right: str) -> None:
        """Draw these."""
        if (text, right) != (self.text, self.right):
            self.text, self.right = text, right
            self.refresh()

    def line(self) -> Runs:
        """The one line; where there is no room for both, the right end stays."""
        room = max(0, self.size.width - cell_len(self.right) - 3)
        text = self.text if cell_len(self.text) <= room else set_cell_size(self.text, max(0, room - 1)) + "…"
        gap = self.size.width - cell_len(text) - cell_len(self.right) - 2
        return [(f" {text}", "muted"), (" " * max(1, gap), ""), (self.right, "accent")]
