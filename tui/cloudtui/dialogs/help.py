"""The keys of what is focused, from the registry of actions and the widgets' own bindings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from cloudtui.dialogs import STYLES
from cloudtui.widgets.facts import Fact, Facts


class HelpScreen(ModalScreen[None]):
    """A sheet of keys and sentences."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss(None)", "Close", show=False)
    ]

    def __init__(self, title: str, facts: Sequence[Fact]) -> None:
        super().__init__()
        self._title = title
        self._facts = tuple(facts)

    def compose(self) -> ComposeResult:
        """The sheet."""
        with Vertical(classes="dialog dialog-wide") as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            sheet = Facts()
            yield sheet
        self._sheet = sheet

    def on_mount(self) -> None:
        """Draw it."""
        self._sheet.show(self._facts)
        self._sheet.focus()
