"""Ports and Jupyters of machines that are to be had here: opened, copied, stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.bridge import Bridge
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.list_screen import ListScreen
from cloudtui.handlers import ports
from cloudtui.handlers.session import Session
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.forward import Forwarded
from cloudtui_engine.sanitize import clean_line

COLUMNS = (
    Column("Here", 15),
    Column("Machine", 8, share=1),
    Column("There", 13),
    Column("State", 11),
    Column("For", 5, "right", rank=2),
    Column("Said last", 10, rank=1, share=2),
)
STATES: Mapping[str, tuple[str, str]] = {
    "open": ("● open", "good"),
    "waiting": ("◌ waiting", "warn"),
    "starting": ("◌ starting", "busy"),
    "needs_you": ("⚠ needs you", "warn"),
}


class ForwardsScreen(ListScreen[Forwarded]):
    """What is forwarded; what is done with one goes through the registry."""

    HEADING = "Forwarded ports"
    COLUMNS = COLUMNS
    KEYS = "o open   y copy   s stop   esc close"
    EMPTY = (
        "Nothing is forwarded", "f on a machine has one of its ports here, J its Jupyter.", "esc closes",
    )  # fmt: skip
    LOOK_S = 0.5

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,F", "dismiss(None)", "Close", show=False),
        Binding("o", "act('open')", "Open in a browser", show=False),
        Binding("y", "copy", "Copy the address", show=False),
        Binding("s", "act('stop')", "Stop it", show=False),
    ]

    def __init__(self, bridge: Bridge, perform: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(bridge)
        self._perform = perform
        self._session = Session(bridge.paths, bridge.catalog, wait=False)

    def look(self) -> None:
        """Read it whether anything was written or not: that an engine died is written nowhere."""
        self._reader.ask(lambda: ports.listed(self._session), self._show)

    def _show(self, found: list[Forwarded]) -> None:
        self.show((one.id, one) for one in found)

    def said(self) -> str:
        """Why the one under the cursor is not open; else when they end."""
        why = self.chosen.why if self.chosen is not None else ""
        return why or ("They end with the engine." if self.records else "")

    def open(self) -> None:
        """It is opened in a browser."""
        self.action_act("open")

    def action_act(self, what: str) -> None:
        """Have it opened or stopped; a Jupyter is stopped after a word on what goes with it."""
        one = self.chosen
        if one is None:
            return
        asked = {"what": what, "which": one.id}
        if what == "open" or one.kind != "jupyter":
            self._perform(asked)
            return
        text = (
            f"Ends the Jupyter of {one.name}. What its kernels hold in memory is lost; notebooks that were "
            "saved stay there."
        )

        def answered(sure: bool | None) -> None:
            if sure:
                self._perform(asked)

        self.app.push_screen(ConfirmDialog("Stop the Jupyter?", clean_line(text), "Stop"), answered)

    def action_copy(self) -> None:
        """Its address goes to the clipboard, a Jupyter's with its token; what is told has none."""
        one = self.chosen
        if one is None:
            return
        try:
            self.app.copy_to_clipboard(ports.address(self._session, one))
        except CloudtuiError as error:
            self.say_error(error)
            return
        token = ", with its token" if one.kind == "jupyter" else ""
        self.notify(f"http://127.0.0.1:{one.local}/{token}", title="Copied", timeout=4, markup=False)

    def row(self, key: str, record: Forwarded, now: float) -> Row:
        """Where it is here and there, its state, and what was said last."""
        there = f"{record.remote or fmt.MISSING}{' Jupyter' if record.kind == 'jupyter' else ''}"
        return Row(
            key,
            (
                (f"127.0.0.1:{record.local}" if record.local else fmt.MISSING, ""),
                (clean_line(record.name, 60), ""),
                (there, ""),
                STATES.get(record.state, (record.state, "")),
                (fmt.since(record.since, now), "muted"),
                (clean_line(record.why, 200) or fmt.MISSING, "muted"),
            ),
        )
