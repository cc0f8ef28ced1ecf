"""Machines of every home in the clouds: for who has lost a home, or shares an account."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.bridge import Bridge
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.list_screen import ListScreen
from cloudtui.dialogs.typed_confirm import TypedConfirm
from cloudtui.handlers import everyone, moments
from cloudtui.handlers.everyone import Everyone
from cloudtui.handlers.orphans import LIFETIME
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.survey import Stranger
from cloudtui_engine.sanitize import clean_line

STALE_S = 600.0
"""An answer that is older is asked for anew when the list is opened."""
COLUMNS = (
    Column("Id", 12, share=1),
    Column("Name", 8, rank=2, share=1),
    Column("Where", 13, rank=1, share=1),
    Column("Type", 10, rank=4),
    Column("State", 9),
    Column("Home", 9),
    Column("Age", 5, "right", rank=3),
    Column("Deadline", 16, rank=5),
    Column("Seen", 5, "right", rank=6),
    Column("$/h", 6, "right"),
)


class EveryoneScreen(ListScreen[Stranger]):
    """What clouds list with anybody's mark; what is done with one goes through the registry."""

    HEADING = "Machines of every home"
    COLUMNS = COLUMNS
    KEYS = "a take up   X terminate   r ask   esc close"
    EMPTY = (
        "No machine was listed", "What is on the list of this home is not told again here.",
        "r asks the clouds   esc closes",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", show=False),
        Binding("a", "adopt", "Take it up", show=False),
        Binding("X", "terminate", "Terminate it", show=False),
        Binding("r", "ask", "Ask the clouds now", show=False),
    ]

    def __init__(self, bridge: Bridge, perform: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(bridge)
        self._perform = perform
        self._version = -1
        self._known = Everyone(())
        self._opened = False

    def look(self) -> None:
        """Read again where anything was written; ages are older in any case."""
        version = self._bridge.catalog.data_version()
        if version != self._version:
            self._version = version
            catalog = self._bridge.catalog
            self._reader.ask(lambda: everyone.known(catalog), self._show)
        else:
            self.draw()

    def _show(self, known: Everyone) -> None:
        self._known = known
        self.show((f"{one.machine.provider} {one.machine.cloud_id}", one) for one in known.found)
        if not self._opened:
            self._opened = True
            now = self._bridge.now()
            if any(not one.asking and now - (one.asked_at or 0.0) > STALE_S for one in known.clouds):
                self.action_ask()

    def age(self, now: float) -> tuple[str, str]:
        """How far the question is, or what has not answered it, or how old the answer is."""
        asking = [one.asking for one in self._known.clouds if one.asking]
        if asking:
            return clean_line(" · ".join(asking), 120), "muted"
        silent = self._known.silent
        if silent:
            return clean_line(_why(silent[0].provider, silent[0].incomplete, silent[0].error), 120), "warn"
        asked = [one.asked_at for one in self._known.clouds if one.asked_at is not None]
        return (
            (f"asked {fmt.since(min(asked), now)} ago", "muted")
            if asked
            else ("no cloud can be asked", "warn")
        )

    def said(self) -> str:
        """Whose it may be, and how far the look goes."""
        unused = ", ".join(one.provider for one in self._known.clouds if one.is_unused)
        one, here = self.chosen, self._known.here
        whose = "Of this home." if one and one.owner == here else "May be a colleague's." if one else ""
        return f"{whose} Not asked, for want of credentials or library: {unused}." if unused else whose

    def row(self, key: str, record: Stranger, now: float) -> Row:
        """What its cloud says of it."""
        machine = record.machine
        return Row(
            key,
            (
                (clean_line(machine.cloud_id, 60), ""),
                (clean_line(machine.name, 40) or fmt.MISSING, ""),
                (clean_line(f"{machine.provider} {machine.region}", 60), "muted"),
                (clean_line(machine.type, 40), "muted"),
                (f"⚠ {clean_line(machine.state, 20)}", "warn"),
                (self._known.whose(record) or "not said", ""),
                (fmt.since(record.created_at, now), ""),
                (fmt.moment(record.deadline_at), "muted"),
                (fmt.since(machine.seen_at, now), "muted"),
                (fmt.money(machine.price), ""),
            ),
        )

    # What is done with one

    def action_adopt(self) -> None:
        """Take it up, after a word of when it ends and who may know it."""
        one = self.chosen
        if one is None:
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self._perform({"what": "adopt", "orphan": one.machine.cloud_id, "everyone": True})

        ends = time.strftime("%H:%M", time.localtime(self._bridge.now() + moments.seconds(LIFETIME)))
        told = " ".join((everyone.warning(one, self._known.here), *everyone.after(one, self._known.here)))
        text = f"Puts {_called(one)} on the list, with a deadline at {ends}, in {LIFETIME}. {told}"
        self.app.push_screen(ConfirmDialog("Take it up?", clean_line(text, 900), "Take it up"), answered)

    def action_terminate(self) -> None:
        """End it, where a person types which: it may be somebody else's."""
        one = self.chosen
        if one is None:
            return

        def answered(sure: bool | None) -> None:
            if sure:
                which = {"orphan": one.machine.cloud_id, "everyone": True}
                self._perform({"what": "terminate", **which, "yes": True, "lose": []})

        word = clean_line(one.machine.name or one.machine.cloud_id, 60)
        warning = everyone.warning(one, self._known.here)
        text = f"Ends {_called(one)} with its disk. {warning} Whatever lies there is lost."
        self.app.push_screen(
            TypedConfirm("Terminate it?", clean_line(text, 900), "Terminate", word), answered
        )

    def action_ask(self) -> None:
        """Have every cloud asked now."""
        self.run_worker(self._ask_now(), exit_on_error=False)

    async def _ask_now(self) -> None:
        from cloudtui.handlers.session import Session

        session = Session(self._bridge.paths, self._bridge.catalog, wait=False)
        try:
            await self._bridge.in_thread(everyone.ask, session)
        except CloudtuiError as error:
            self.say_error(error)


def _called(one: Stranger) -> str:
    machine = one.machine
    name = f"{machine.name}, " if machine.name else ""
    return f"{machine.cloud_id} ({name}{machine.type} in {machine.provider} {machine.region})"


def _why(provider: str, incomplete: Mapping[str, str], error: Mapping[str, Any]) -> str:
    if error:
        return f"{provider} has not answered: {error.get('message', '')}"
    if incomplete:
        return f"{provider} {next(iter(incomplete))} not seen whole"
    return f"{provider} has not answered yet"
