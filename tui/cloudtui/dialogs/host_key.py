"""First use of a machine: is this its key?"""

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
from cloudtui_engine.sanitize import clean_line


class HostKeyDialog(ModalScreen[bool | None]):
    """True: it is; False: it is not; None: not now."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Not now", show=False),
        Binding("left,right", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, host: str, fingerprint: str) -> None:
        super().__init__()
        self._host = clean_line(host, 120)
        self._fingerprint = clean_line(fingerprint, 120)

    def compose(self) -> ComposeResult:
        """The fingerprint, and how to compare it."""
        text = Text(f"{self._host} shows this key for the first time:\n\n")
        text.append(f"  {self._fingerprint}\n\n", style="bold")
        text.append(
            "Compare it with what the machine's owner or your cloud's console says; on the machine itself:\n"
            "  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n\n"
            "If it differs, somebody may be in between: nothing has been sent yet."
        )
        with Vertical(classes="dialog"):
            yield Static(
                Text("Is this the machine you mean?", style="bold"), markup=False, classes="dialog-title"
            )
            yield Static(text, markup=False, classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Text("Not now  esc"), id="later", compact=True)
                yield Button(Text("It differs: refuse"), id="no", compact=True)
                yield Button(Text("It is the same: trust it"), id="yes", variant="primary", compact=True)

    def on_mount(self) -> None:
        """The safe answer first."""
        self.set_focus(self.query_one("#later"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss({"yes": True, "no": False}.get(event.button.id or ""))


class SecretDialog(ModalScreen[str | None]):
    """A passphrase or another secret: it goes to the engine's memory and nowhere else."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Not now", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = clean_line(title, 120)
        self._text = clean_line(text, 400)

    def compose(self) -> ComposeResult:
        """A line that shows nothing of what is typed."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._title, style="bold"), markup=False, classes="dialog-title")
            yield Static(Text(self._text), markup=False, classes="dialog-text")
            yield OrderedInput(password=True, compact=True)
            yield Static(Text("enter: use it   esc: not now"), markup=False, classes="dialog-hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Use it."""
        self.dismiss(event.value or None)
