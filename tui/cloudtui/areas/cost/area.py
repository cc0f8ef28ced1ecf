"""The area of money: by machine, by run, by day, beside budgets and forecast."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.areas.area import Area
from cloudtui.areas.cost import rows
from cloudtui.areas.cost.detail import CostDetail
from cloudtui.areas.cost.rows import Entry, usd
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.wishing import WishingTable
from cloudtui.bridge import Bridge
from cloudtui.messages import OpenArea
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui.widgets.table import Row
from cloudtui_engine.statement import Statement, statement

KEYS = {"v": "turn", "o": "open_it"}
_OLD_S = 120.0
_PLACES = {"instance": "instances", "run": "runs"}


class CostTable(WishingTable):
    """The list; its own keys do what is said of the area."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"wish('{name}')", name, show=False) for key, name in KEYS.items()
    ]
    HINTS = (("v", "machine, run or day"), ("o", "go to it"))


class CostArea(Area):
    """Where the money went, and where it goes."""

    ID = "cost"
    NOUN = "budget"
    TITLE = "Cost"
    COLUMNS = rows.COLUMNS["instance"]
    TOPICS: ClassVar[frozenset[str]] = frozenset({"cost", "price", "setting", "instance"})
    SORT = "instance"
    """What is listed; there is no other order."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.pane.table = CostTable(self.COLUMNS)
        self.strip = TabStrip(list(rows.TITLES.values()))

    def on_mount(self) -> None:
        """The switch stands above the list."""
        super().on_mount()
        self.pane.mount(self.strip, after=self.pane.head)

    def make_detail(self) -> Detail:
        """The books."""
        return CostDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """The lines of a view whose name holds the filter."""
        told = statement(bridge.catalog, bridge.now())
        wanted = request.filter.lower()
        found = [one for one in rows.entries(told, request.sort) if wanted in one.name.lower()]
        note = f"${usd(told.money.month)} this month" if told.instances else ""
        first = request.first
        return Listing(found[first : first + 500], first, len(found), note, extra=told)

    def row(self, record: Entry, now: float) -> Row:
        """A line as cells."""
        return Row(record.id, rows.cells(record, now))

    @property
    def empty(self) -> tuple[str, str, str]:
        """What is missing for this view."""
        told = self.told
        if told is not None and told.instances:
            return (
                "Nothing has cost anything yet",
                "A run costs its share of its machines; a day what was paid for in it.",
                "v: machine, run or day",
            )
        budget = told.money.budgets.month if told is not None else None
        held = f" Your budget is ${usd(budget)} a month." if budget is not None else ""
        return (
            "No machine has a price",
            f"A rented machine brings its own. Of yours, say what an hour costs you.{held}",
            "1 instances: $ sets the price of the one under the cursor",
        )

    def freshness(self, now: float) -> tuple[str, str]:
        """How far what runs is accounted for; in yellow where nobody keeps the books."""
        told = self.told
        running = [one for one in told.instances if one.rate and one.until_ms is not None] if told else []
        if not running:
            return "", "muted"
        until = min(one.until_ms or 0 for one in running) / 1000
        return f"accounted {fmt.since(until, now)} ago", "warn" if now - until > _OLD_S else "muted"

    @property
    def told(self) -> Statement | None:
        """The statement, once it has been read."""
        found = self.listing.extra if self.listing else None
        return found if isinstance(found, Statement) else None

    def _loaded(self, listing: Listing) -> None:
        view = self.request.sort
        if not listing.records or listing.records[0].view == view:
            self.pane.table.restructure(rows.COLUMNS[view])
            super()._loaded(listing)

    # What its keys ask for

    def on_key(self, event: events.Key) -> None:
        """Its own keys work in the books, too."""
        if event.key in KEYS and (self.detail.has_focus_within or self.pane.table.has_focus):
            event.stop()
            event.prevent_default()
            self.wish(KEYS[event.key])

    def on_wishing_table_wished(self, event: WishingTable.Wished) -> None:
        """A key of the table."""
        event.stop()
        self.wish(event.name)

    def wish(self, name: str) -> None:
        """Do what one of `KEYS` stands for."""
        if name == "turn":
            self.view(rows.VIEWS[(rows.VIEWS.index(self.request.sort) + 1) % len(rows.VIEWS)])
            return
        at = self.pane.table.cursor_key
        if at is not None and at != rows.IDLE and self.request.sort in _PLACES:
            self.post_message(OpenArea(_PLACES[self.request.sort], at))

    def view(self, name: str) -> None:
        """List machines, runs or days."""
        self.strip.go(rows.TITLES[name])
        self.request = self.request._replace(sort=name, first=0)
        self.reload()

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """Another list was clicked."""
        event.stop()
        self.view(next(view for view, title in rows.TITLES.items() if title == event.tab))
