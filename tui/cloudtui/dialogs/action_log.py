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


class ActionLogScreen(ListScreen):
    """The actions, and the whole of what became of the one under the cursor; `y` copies its command."""

    HEADING = "Actions"
    COLUMNS = COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,L", "dismiss(None)", "Close", show=False),
        Binding("y,enter", "copy", "Copy the command", show=False),
    ]

    def __init__(self, bridge: Bridge, read: Callable[[int], Sequence[Act]]) -> None:
        super().__init__(bridge)
        self._read = read
        self._since: int | None = None
        """How much of what was written has been seen."""
        self.acts: dict[str, Act] = {}

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
        elif self.acts:
            self._draw()  # ages

    def _show(self, acts: Sequence[Act]) -> None:
        self.acts = {f"{act.t} {act.command}": act for act in acts}
        self.show_notice(not acts)
        if not acts:
            self.notice.say(
                "Nothing was done here yet", more="What you do, here or on the command line, stands here.",
                begin="esc closes",
            )  # fmt: skip
        self._draw()

    def _draw(self) -> None:
        now = self._bridge.now()
        self.head.show(f"Actions {fmt.count(len(self.acts))}")
        self.table.show([_row(key, act, now) for key, act in self.acts.items()])
        self._say()

    def on_table_highlighted(self) -> None:
        """Another row."""
        self._say()

    def _say(self) -> None:
        act = self.acts.get(self.table.cursor_key or "")
        self.foot.show(act.message if act is not None and act.message else "", "y copy   esc close")

    def on_table_opened(self) -> None:
        """A double click copies, too."""
        self.action_copy()

    def action_copy(self) -> None:
        """The command under the cursor, into the clipboard."""
        act = self.acts.get(self.table.cursor_key or "")
        if act is not None:
            self.app.copy_to_clipboard(act.command)
            self.notify(act.command, title="Copied", timeout=4, markup=False)


def _row(key: str, act: Act, now: float) -> Row:
    mark = fmt.ACT_MARKS.get(act.state, fmt.ACT_MARKS["begun"])
    return Row(
        key,
        (
            (fmt.since(act.t, now), "muted"),
            (clean_line(act.command.removeprefix("cloudtui "), 1000), ""),
            (str(mark), _TONES[mark.tone]),
            (clean_line(act.message) or fmt.MISSING, "muted"),
            (act.by, "muted"),
        ),
    )
