"""Asking before something is done that may be somebody else's: yes counts once its name is typed."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from cloudtui.dialogs import STYLES
from cloudtui.widgets.ordered_input import OrderedInput


class TypedConfirm(ModalScreen[bool]):
    """True when it was confirmed with the word.

    Args:
        title: the question.
        consequence: what then happens.
        verb: of the button.
        word: what has to be typed.
    """

    CSS_PATH = STYLES
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "No", show=False)]

    def __init__(self, title: str, consequence: str, verb: str, word: str) -> None:
        super().__init__()
        self._title = title
        self._consequence = consequence
        self._verb = verb
        self._word = word

    def compose(self) -> ComposeResult:
        """What, what then, a line for the word, and two answers."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._title, style="bold"), markup=False, classes="dialog-title")
            yield Static(Text(self._consequence), markup=False, classes="dialog-text")
            yield Static(Text(f"Type {self._word} to say yes:"), markup=False, classes="dialog-hint")
            yield OrderedInput(id="word", compact=True)
            with Horizontal(classes="dialog-buttons"):
                yield Button(Text("Cancel  esc"), id="no", compact=True)
                yield Button(
                    Text(f"{self._verb}  enter"), id="yes", variant="primary", compact=True, disabled=True
                )

    def on_mount(self) -> None:
        """The line first."""
        self.set_focus(self.query_one("#word"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Yes is there once the word is."""
        self.query_one("#yes", Button).disabled = event.value.strip() != self._word

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter is yes where the word is right."""
        if event.value.strip() == self._word:
            self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(event.button.id == "yes")
