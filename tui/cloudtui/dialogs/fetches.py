"""Data of a store of objects on its way to be datasets here: how far it is, and stopping it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.bridge import Bridge
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.list_screen import ListScreen
from cloudtui.handlers import fetches
from cloudtui.handlers.session import Session
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.records.fetch import Fetch
from cloudtui_engine.sanitize import clean_line

STATES: Mapping[str, tuple[str, str]] = {"running": ("● running", "busy"), "waiting": ("◌ waiting", "warn")}


class FetchesScreen(ListScreen[Fetch]):
    """What is on its way; it is stopped through the registry."""

    HEADING = "Fetches"
    COLUMNS = (
        Column("Dataset", 10, share=1),
        Column("State", 9),
        Column("Done", 5, "right"),
        Column("For", 5, "right", rank=2),
        Column("From", 16, share=2),
    )
    KEYS = "s stop   esc close, it goes on"
    EMPTY = (
        "Nothing is being fetched",
        "A dataset whose source is s3://bucket/key or s3://bucket/folder/ is, while it is added.",
        "esc closes",
    )
    LOOK_S = 0.5

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,F", "dismiss(None)", "Close", show=False),
        Binding("s", "stop", "Stop it", show=False),
    ]

    def __init__(self, bridge: Bridge, perform: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(bridge)
        self._perform = perform
        self._had_some = False
        self._session = Session(bridge.paths, bridge.catalog, wait=False)

    def look(self) -> None:
        """Read what was written since."""
        self._reader.ask(lambda: fetches.listed(self._session), self._show)

    def _show(self, found: list[Fetch]) -> None:
        """Once the last one is over there is nothing left to look at: what came of it is told."""
        self._had_some = self._had_some or bool(found)
        if self._had_some and not found and self.is_current:
            self.dismiss(None)
        else:
            self.show((one.id, one) for one in found)

    def said(self) -> str:
        """What is being done for the one under the cursor."""
        one = self.chosen
        return "" if one is None else one.text or "It waits for its turn."

    def row(self, key: str, record: Fetch, now: float) -> Row:
        """What it is to be, how far it is, and where it is fetched from."""
        return Row(
            key,
            (
                (clean_line(record.name, 60), ""),
                STATES.get(record.state, (record.state, "")),
                (fmt.percent(record.share), ""),
                (fmt.since(record.since, now), "muted"),
                (clean_line(record.source, 200), "muted"),
            ),
        )

    def action_stop(self) -> None:
        """Stop it, after a word on what goes with it."""
        one = self.chosen
        if one is None:
            return
        name, source = clean_line(one.name, 60), clean_line(one.source, 120)
        text = f"Ends what is fetched from {source} for {name}. What came of it so far goes."

        def answered(sure: bool | None) -> None:
            if sure:
                self._perform({"what": "stop", "which": one.id})

        self.app.push_screen(ConfirmDialog("Stop the fetch?", text, "Stop"), answered)
