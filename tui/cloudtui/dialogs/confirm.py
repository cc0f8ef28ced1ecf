"""Asking before something is done, with what will happen."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from cloudtui.dialogs import STYLES
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line


class ConfirmDialog(ModalScreen[bool]):
    """True when it was confirmed. The safe answer has the focus."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "No", show=False),
        Binding("y", "dismiss(True)", "Yes", show=False),
        Binding("left,right", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, title: str, consequence: str, verb: str) -> None:
        super().__init__()
        self._title = title
        self._consequence = consequence
        self._verb = verb

    def compose(self) -> ComposeResult:
        """What, what then, and two answers."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._title, style="bold"), markup=False, classes="dialog-title")
            yield Static(Text(self._consequence), markup=False, classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Text("Cancel  esc"), id="no", compact=True)
                yield Button(Text(f"{self._verb}  y"), id="yes", variant="primary", compact=True)

    def on_mount(self) -> None:
        """The safe answer first."""
        self.set_focus(self.query_one("#no"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(event.button.id == "yes")


async def may_replace(app: App[Any], error: CloudtuiError) -> bool:
    """Whether what is there already, as an error tells, may go."""
    dialog = ConfirmDialog("Replace it?", f"{clean_line(error.message)} That is replaced.", "Replace")
    answer: bool = await app.push_screen_wait(dialog)
    return answer
