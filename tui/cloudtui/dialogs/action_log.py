"""What was done here: each action as its command, when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.bridge import Bridge
from cloudtui.dialogs.list_screen import ListScreen
from cloudtui.handlers.acting import Act
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

SHOWN = 300
_ABOUT = frozenset({"action", "operation"})
COLUMNS = (
    Column("When", 5, "right"),
    Column("Command", 30, share=3),
    Column("How it ended", 13),
    Column("Why", 16, rank=1, share=1),
    Column("By", 8, rank=2),
)
_TONES = {"good": "good", "busy": "busy", "warn": "warn", "bad": "bad", "quiet": "muted"}


class ActionLogScreen(ListScreen[Act]):
    """The actions, and the whole of what became of the one under the cursor; `y` copies its command."""

    HEADING = "Actions"
    COLUMNS = COLUMNS
    KEYS = "y copy   esc close"
    EMPTY = (
        "Nothing was done here yet", "What you do, here or on the command line, stands here.", "esc closes",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,L", "dismiss(None)", "Close", show=False),
        Binding("y", "copy", "Copy the command", show=False),
    ]

    def __init__(self, bridge: Bridge, read: Callable[[int], Sequence[Act]]) -> None:
        super().__init__(bridge)
        self._read = read
        self._since: int | None = None
        """How much of what was written has been seen."""

    def look(self) -> None:
        """Read again where an action was written; ages are older in any case."""
        first = self._since is None
        try:
            self._since, moved = self._bridge.catalog.changed(self._since or 0)
        except CloudtuiError as error:
            self._since = None
            self.fail(error)
            return
        if first or moved & _ABOUT:
            self._reader.ask(lambda: self._read(SHOWN), self._show)
        elif self.records:
            self.draw()

    def _show(self, acts: Sequence[Act]) -> None:
        self.show((f"{act.t} {act.command}", act) for act in acts)

    def said(self) -> str:
        """What became of the one under the cursor."""
        return self.chosen.message if self.chosen is not None else ""

    def open(self) -> None:
        """It is copied, too."""
        self.action_copy()

    def action_copy(self) -> None:
        """The command under the cursor, into the clipboard."""
        act = self.chosen
        if act is not None:
            self.app.copy_to_clipboard(act.command)
            self.notify(act.command, title="Copied", timeout=4, markup=False)

    def row(self, key: str, record: Act, now: float) -> Row:
        """Its age, its command, how it ended and why."""
        mark = fmt.ACT_MARKS.get(record.state, fmt.ACT_MARKS["begun"])
        return Row(
            key,
            (
                (fmt.since(record.t, now), "muted"),
                (clean_line(record.command.removeprefix("cloudtui "), 1000), ""),
                (str(mark), _TONES[mark.tone]),
                (clean_line(record.message) or fmt.MISSING, "muted"),
                (record.by, "muted"),
            ),
        )
