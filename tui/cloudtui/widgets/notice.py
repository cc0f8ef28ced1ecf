"""What stands where nothing is to show: what this is and how to begin, or what failed and what to do."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line


class Notice(Static):
    """A few lines of text, never markup."""

    DEFAULT_CSS = "Notice { padding: 1 3; height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)

    def say(self, what: str, *, more: str = "", begin: str = "", style: str = "") -> None:
        """What it is, a sentence more, and the one thing to begin with."""
        colours = self.app.theme_variables
        text = Text(what, style=f"bold {colours[style]}" if style else "bold")
        if more:
            text.append(f"\n{more}", style=f"not bold {colours['muted']}")
        if begin:
            text.append(f"\n\n{begin}", style=f"not bold {colours['accent']}")
        self.update(text)

    def fail(self, error: CloudtuiError) -> None:
        """What failed, why, and what to do."""
        self.say(f"✗ {clean_line(error.message)}", more=clean_line(error.hint), style="bad")
