"""Machines of ours in clouds that nothing here speaks of: seen, taken up, ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.bridge import Bridge, Reader
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.list_screen import ListScreen
from cloudtui.handlers import moments
from cloudtui.handlers.orphans import LIFETIME, known_orphans, orphan_at_stake
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.launch import Listing, Orphan
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.fleet.commands import AtStake

OLD_S = 7 * 3600.0
"""All regions are looked at every six hours while an engine lives."""
COLUMNS = (
    Column("Id", 14, share=1),
    Column("Name", 10, rank=2, share=1),
    Column("Where", 14, rank=1, share=1),
    Column("Type", 11, rank=3),
    Column("State", 10),
    Column("For", 5, "right"),
    Column("Seen", 5, "right", rank=4),
    Column("$/h", 6, "right"),
)


class OrphansScreen(ListScreen[Orphan]):
    """The orphans; what is done with one goes through the registry."""

    HEADING = "Orphans"
    COLUMNS = COLUMNS
    KEYS = "a take up   X terminate   r look   e everyone   esc close"
    EMPTY = (
        "No orphans", "Every machine of this home in a cloud that was looked at is on the list.",
        "r looks now   e asks for every home's   esc closes",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o", "dismiss(None)", "Close", show=False),
        Binding("a", "adopt", "Take it up", show=False),
        Binding("X", "terminate", "Terminate it", show=False),
        Binding("r", "look", "Look at the clouds now", show=False),
        Binding("e", "everyone", "Machines of every home", show=False),
    ]

    def __init__(self, bridge: Bridge, perform: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(bridge)
        self._perform = perform
        self._stakes = Reader(self, bridge, self.fail)
        self._version = -1
        self._listings: Sequence[Listing] = ()

    def look(self) -> None:
        """Read again where anything was written; ages are older in any case."""
        version = self._bridge.catalog.data_version()
        if version != self._version:
            self._version = version
            catalog = self._bridge.catalog
            self._reader.ask(lambda: (known_orphans(catalog), catalog.listings.list()), self._show)
        else:
            self.draw()

    def _show(self, found: tuple[list[Orphan], list[Listing]]) -> None:
        self._listings = found[1]
        self.show((one.cloud_id, one) for one in found[0])

    def summary(self) -> str:
        """What they cost, as far as it is known."""
        known = [one.price for one in self.records.values() if one.price is not None]
        return f" · ${fmt.money(sum(known))}/h" if known else ""

    def age(self, now: float) -> tuple[str, str]:
        """When the clouds were looked at."""
        return seen(self._listings, now)

    def said(self) -> str:
        """Why they are shown."""
        return "Unwatched." if self.records else ""

    def row(self, key: str, record: Orphan, now: float) -> Row:
        """What its cloud says of it."""
        return Row(
            key,
            (
                (clean_line(record.cloud_id, 60), ""),
                (clean_line(record.name, 40) or fmt.MISSING, ""),
                (clean_line(f"{record.provider} {record.region}", 60), "muted"),
                (clean_line(record.type, 40), "muted"),
                (f"⚠ {clean_line(record.state, 20)}", "warn"),
                (fmt.since(record.first_seen_at, now), ""),
                (fmt.since(record.seen_at, now), "muted"),
                (fmt.money(record.price), ""),
            ),
        )

    # What is done with one

    def action_adopt(self) -> None:
        """Take it up, after a word of when it ends: it is on the list of machines from then on."""
        one = self.chosen
        if one is None:
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self._perform({"what": "adopt", "orphan": one.cloud_id})

        ends = time.strftime("%H:%M", time.localtime(self._bridge.now() + moments.seconds(LIFETIME)))
        text = (
            f"Puts {one.cloud_id} ({one.type} in {one.region}) on the list. As one that is launched it has a "
            f"deadline: at {ends}, in {LIFETIME}, it is stopped, or terminated where its cloud keeps no "
            "disk. For another time press e on the list. No switch is put on it: a command asks for that "
            "(--switch)."
        )
        self.app.push_screen(ConfirmDialog("Take up the orphan?", clean_line(text), "Take it up"), answered)

    def action_terminate(self) -> None:
        """End it, after a word that it may go."""
        one, catalog = self.chosen, self._bridge.catalog
        if one is not None:
            self._stakes.ask(lambda: orphan_at_stake(catalog, one), lambda found: self._confirm(one, found))

    def _confirm(self, one: Orphan, at_stake: Sequence[AtStake]) -> None:
        """What is known to be lost is named, and may be lost once that was seen."""
        price = f" It costs ${fmt.money(one.price)} an hour less then." if one.price is not None else ""
        which = f"{one.cloud_id} ({one.type} in {one.region})"
        names = ", ".join(str(run) for run in at_stake)
        lost = f"It alone has: {names}." if names else "Whatever lies there is lost."
        lose = [run.run_id for run in at_stake]

        def answered(sure: bool | None) -> None:
            if sure:
                self._perform({"what": "terminate", "orphan": one.cloud_id, "yes": True, "lose": lose})

        text = f"Ends {which} with its disk. {lost}{price}"
        self.app.push_screen(ConfirmDialog("Terminate the orphan?", clean_line(text), "Terminate"), answered)

    def action_everyone(self) -> None:
        """The machines of other homes, too: a list of its own."""
        from cloudtui.dialogs.everyone import EveryoneScreen

        self.app.push_screen(EveryoneScreen(self._bridge, self._perform))

    def action_look(self) -> None:
        """Have all clouds that were ever used looked at now."""
        self.run_worker(self._look_now(), exit_on_error=False)

    async def _look_now(self) -> None:
        try:
            await self._bridge.in_thread(_submit_looks, self._bridge)
        except CloudtuiError as error:
            self.say_error(error)
        else:
            self.notify("The clouds are being looked at.", timeout=3)


def seen(listings: Sequence[Listing], now: float) -> tuple[str, str]:
    """How old the list may be; in yellow where a region was not seen whole, or long ago."""
    if not listings:
        return "never looked", "warn"
    broken = next((one for one in listings if not one.complete), None)
    if broken is not None:
        where = f"{broken.provider} {broken.region}"
        return f"{where} not seen whole {fmt.since(broken.asked_at, now)} ago", "warn"
    oldest = min(one.asked_at for one in listings)
    return f"looked {fmt.since(oldest, now)} ago", "warn" if now - oldest > OLD_S else "muted"


def _submit_looks(bridge: Bridge) -> None:
    from cloudtui_engine import operations
    from cloudtui_engine.fleet import commands

    for provider in bridge.catalog.launches.providers():
        commands.submit_look(bridge.catalog, provider)
    operations.ensure_engine(bridge.paths)
