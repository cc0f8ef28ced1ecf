"""A home that was copied: is it the one that goes on with what was rented?"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from cloudtui.dialogs import STYLES
from cloudtui_engine.sanitize import clean_line


class CopiedDialog(ModalScreen[str | None]):
    """`moved`, `copy`, or None for not now."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Not now", show=False),
        Binding("left,right", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = clean_line(text)

    def compose(self) -> ComposeResult:
        """What happened, and what each answer does."""
        text = Text(f"{self._text}\n\n")
        text.append("Moved: ", style="bold")
        text.append("the other place is not used any more, and this one goes on with its machines.\n")
        text.append("A copy: ", style="bold")
        text.append("the other place goes on with them; here they leave the list, and no cloud is told.")
        with Vertical(classes="dialog"):
            yield Static(Text("Which home is this?", style="bold"), markup=False, classes="dialog-title")
            yield Static(text, markup=False, classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Text("Not now  esc"), id="later", compact=True)
                yield Button(Text("It is a copy"), id="copy", compact=True)
                yield Button(Text("It was moved here"), id="moved", compact=True)

    def on_mount(self) -> None:
        """The safe answer first."""
        self.set_focus(self.query_one("#later"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(event.button.id if event.button.id != "later" else None)
