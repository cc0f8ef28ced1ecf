"""Ports and Jupyters of machines that are to be had here: opened, copied, stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from cloudtui import format as fmt
from cloudtui.bridge import Bridge, Reader
from cloudtui.dialogs import STYLES
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.handlers import ports
from cloudtui.handlers.session import Session
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.head import Head
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.forward import Forwarded
from cloudtui_engine.sanitize import clean_line

LOOK_S = 0.5
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
_KEYS = "o open   y copy   s stop   esc close"


class ForwardsScreen(ModalScreen[None]):
    """A list over the desktop; what is done with one goes through the registry."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,F", "dismiss(None)", "Close", show=False),
        Binding("o,enter", "act('open')", "Open in a browser", show=False),
        Binding("y", "copy", "Copy the address", show=False),
        Binding("s", "act('stop')", "Stop it", show=False),
    ]

    def __init__(self, bridge: Bridge, perform: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._bridge = bridge
        self._perform = perform
        self._reader = Reader(self, bridge, self._failed)
        self._session = Session(bridge.paths, bridge.catalog, wait=False)
        self.forwards: dict[str, Forwarded] = {}
        self.head = Head("Forwarded ports")
        self.notice = Notice()
        self.table = Table(COLUMNS)
        self.foot = Foot()

    def compose(self) -> ComposeResult:
        """Head, list, keys."""
        with Vertical(classes="action-log"):
            yield self.head
            yield self.notice
            yield self.table
            yield self.foot

    def on_mount(self) -> None:
        """Read it now, and again and again: whether an engine lives is written nowhere."""
        self.notice.display = False
        self.table.focus()
        self._look()
        self.set_interval(LOOK_S, self._look)

    def _look(self) -> None:
        self._reader.ask(lambda: ports.listed(self._session), self._show)

    def _show(self, found: list[Forwarded]) -> None:
        self.forwards = {one.id: one for one in found}
        self.notice.display, self.table.display = not found, bool(found)
        if not found:
            self.notice.say(
                "Nothing is forwarded",
                more="f on a machine has one of its ports here, J its Jupyter.",
                begin="esc closes",
            )
        self.head.show(f"Forwarded ports {fmt.count(len(found))}", "", "", "")
        self.table.show([_row(one, self._bridge.now()) for one in found])
        said = self.chosen.why if self.chosen is not None else ""
        self.foot.show(clean_line(said, 200) or ("They end with the engine." if found else ""), _KEYS)

    def _failed(self, error: CloudtuiError) -> None:
        self.notice.fail(error)
        self.notice.display, self.table.display = True, False

    @property
    def chosen(self) -> Forwarded | None:
        """The one under the cursor."""
        return self.forwards.get(self.table.cursor_key or "")

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
            self.notify(
                clean_line(error.hint) or " ", title=clean_line(error.message), severity="error", markup=False
            )
            return
        token = ", with its token" if one.kind == "jupyter" else ""
        self.notify(f"http://127.0.0.1:{one.local}/{token}", title="Copied", timeout=4, markup=False)


def _row(one: Forwarded, now: float) -> Row:
    there = f"{one.remote or fmt.MISSING}{' Jupyter' if one.kind == 'jupyter' else ''}"
    return Row(
        one.id,
        (
            (f"127.0.0.1:{one.local}" if one.local else fmt.MISSING, ""),
            (clean_line(one.name, 60), ""),
            (there, ""),
            STATES.get(one.state, (one.state, "")),
            (fmt.since(one.since, now), "muted"),
            (clean_line(one.why, 200) or fmt.MISSING, "muted"),
        ),
    )
