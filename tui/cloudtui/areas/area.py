"""What all areas do: keep a list of records beside the detail of one, as the catalog has them."""

from __future__ import annotations

from typing import Any

from textual import events

from cloudtui.areas.following import Following
from cloudtui.areas.kind import Kind
from cloudtui.areas.pane import ListPane
from cloudtui.areas.parts import Listing, Request
from cloudtui.bridge import Bridge, Reader
from cloudtui.messages import ContextChanged, OpenContext
from cloudtui.widgets.split import Split
from cloudtui.widgets.table import Table
from cloudtui_engine.errors import CatalogError, CloudtuiError

LOADING_S = 0.15
"""What is there sooner is shown without a word."""


class Area(Kind, Split):
    """A list beside the detail of the record under its cursor."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.pane = ListPane(self.TITLE, self.COLUMNS)
        self.detail = self.make_detail()
        super().__init__(self.pane, self.detail, id=self.ID, classes="area")
        self.listing: Listing | None = None
        self.request = Request(sort=self.SORT)
        self._reader = Reader(self, bridge, self.fail)
        self._following = Following(self, self.detail, lambda: self.at_cursor)
        self._wanted: str | None = None
        self._error: CloudtuiError | None = None

    # Life

    def on_mount(self) -> None:
        """Read for the first time."""
        self.pane.table.sort = self.ordered(self.request)[0]
        early = self.bridge.early(self.ID)
        if early is not None:
            self._loaded(early)  # one paint shows all
        else:
            self.reload()
        self.set_timer(LOADING_S, self._say_loading)

    def changed(self, topics: frozenset[str]) -> None:
        """Something was written."""
        if topics & self.TOPICS:
            self.reload()
        self.detail.changed(topics)

    def tick(self) -> None:
        """A second went by."""
        if isinstance(self._error, CatalogError):  # no change will be told of when it is well again
            self.reload()
        self._draw()
        self.detail.tick()

    def reload(self) -> None:
        """Read the list again."""
        request = self.request
        self._reader.ask(lambda: self.fetch(self.bridge, request), self._loaded)

    def _say_loading(self) -> None:
        if self.listing is None and self._error is None:
            self.pane.say("Reading the catalog…")
            self.post_message(ContextChanged())  # the list's own keys go with it

    def _loaded(self, listing: Listing) -> None:
        recovered = isinstance(self._error, CatalogError)
        self.listing, self._error = listing, None
        self._draw()
        if recovered:
            self._read_all_again()
        if self._wanted is not None and self.pane.table.select(self._wanted):
            self._wanted = None
        self._following.read()
        self.post_message(ContextChanged())

    def _read_all_again(self) -> None:
        """The detail may have failed to read as well: for it all was written just now."""
        key = self.pane.table.cursor_key
        self.detail.changed(self.TOPICS | {"instance", f"metric:{key}", f"log:{key}"})

    def fail(self, error: CloudtuiError) -> None:
        """Show what failed instead of the list, until a read brings one."""
        self._error = error
        if self.listing is None:
            self.add_class("-empty")  # there never was a detail: no room is kept for one
        self.pane.fail(error)
        self.post_message(ContextChanged())

    def _draw(self) -> None:
        listing = self.listing
        if listing is None or self._error is not None or not self.is_attached:
            return
        now = self.now
        self.pane.table.show(
            [self.row(record, now) for record in listing.records], base=listing.base, total=listing.total
        )
        self.pane.entitle(self.title, listing, self.request.filter, self.freshness(now))
        # Where nothing is, there is no detail of it either; but a filter that finds nothing moves no panel.
        self.set_class(not listing.total and not self.request.filter, "-empty")
        if listing.total:
            self._show_rows()
        else:
            self.pane.say_empty(self.request.filter, self.empty)

    def _show_rows(self) -> None:
        # Whoever went on to another area while this one was read keeps the keys there.
        unfocused = self.display and self.screen.focused is None and not self.pane.table.display
        self.pane.show_table()
        if unfocused:
            self.call_after_refresh(self.focus_list)

    @property
    def resting(self) -> bool:
        """The cursor moved, and its row's detail has not been asked for yet."""
        return self._following.waiting

    @property
    def failed(self) -> bool:
        """The list could not be read."""
        return self._error is not None

    @property
    def now(self) -> float:
        """The time that ages are counted from."""
        return self.bridge.now()

    # Selection

    def record(self, key: str | None) -> Any:
        """The record with this id in the window; None if it is not there."""
        records = self.listing.records if self.listing else ()
        return next((record for record in records if record.id == key), None)

    @property
    def at_cursor(self) -> Any:
        """The record under the cursor; None where there is none."""
        return self.record(self.pane.table.cursor_key)

    def selected(self) -> list[Any]:
        """The marked records, or else the one under the cursor."""
        table = self.pane.table
        keys = sorted(table.marked) or ([table.cursor_key] if table.cursor_key else [])
        return [record for key in keys if (record := self.record(key)) is not None]

    def meant(self, action: str) -> list[Any]:  # noqa: ARG002 - for areas where it differs
        """What an action of the registry is to be done with here."""
        return self.selected()

    def select(self, key: str) -> None:
        """Put the cursor on this record, now or when it has been read."""
        if not self.pane.table.select(key):
            self._wanted = key

    def focus_list(self) -> None:
        """Keys go to the list, where its area is still the one that is shown."""
        if self.display:
            self.pane.table.focus()

    def focus_seen(self) -> None:
        """Keys go to the list, or where there is room for one only, to what is shown in its place."""
        if self.display and not self.pane.display:
            self.detail.focus_inside()
        else:
            self.focus_list()

    def open_detail(self) -> None:
        """Keys go to the detail; where there is room for one only, it is shown instead of the list."""
        if self.pane.table.cursor_key is not None:
            self.add_class("-opened")
            self.detail.show(self.at_cursor)
            self.detail.focus_inside()

    def step_back(self) -> bool:
        """From the detail to the list, from marks to none; False if there is nothing to step out of."""
        if self.has_class("-opened") or self.detail.has_focus_within:
            self.remove_class("-opened")
            self.focus_list()
            return True
        if self.pane.table.marked:
            self.pane.table.unmark()
            return True
        if self.request.filter:
            self.set_filter("")
            return True
        return False

    def on_resize(self) -> None:
        """There may be room for the detail now."""
        self.call_after_refresh(self._following.show)

    # What the table asks

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Show the detail once the cursor rests."""
        if event.table is not self.pane.table:
            return
        event.stop()
        self._following.moved()
        self.post_message(ContextChanged())

    def on_table_marked(self) -> None:
        """Actions now go to what is marked."""
        self._draw()
        self.post_message(ContextChanged())

    def on_table_opened(self, event: Table.Opened) -> None:
        """Into the detail."""
        if event.table is self.pane.table:
            event.stop()
            self.open_detail()

    def on_table_menu_wanted(self, event: Table.MenuWanted) -> None:
        """What can be done with it."""
        if event.table is self.pane.table:
            event.stop()
            self.post_message(OpenContext(event.place))

    def on_table_sort_wanted(self, event: Table.SortWanted) -> None:
        """Sort by that column; once more turns it around."""
        event.stop()
        order, rest = self.ordered(self.request)
        sort = f"-{event.sort}" if order != f"-{event.sort}" else event.sort
        self.pane.filter = rest
        self._ask(self.request._replace(filter=rest, sort=sort, first=0))

    def on_table_page_wanted(self, event: Table.PageWanted) -> None:
        """Another window of the same list."""
        event.stop()
        self._ask(self.request._replace(first=event.first))

    def on_list_pane_filter_changed(self, event: ListPane.FilterChanged) -> None:
        """Only what fits."""
        event.stop()
        self.set_filter(event.text)

    def set_filter(self, text: str, sort: str = "") -> None:
        """Show only what fits this; in this order, where one is given."""
        self.pane.filter = text
        self._error = None
        self._ask(self.request._replace(filter=text, sort=sort or self.request.sort, first=0))

    def _ask(self, request: Request) -> None:
        self.request = request
        self.pane.table.sort = self.ordered(request)[0]
        self.pane.table.refresh()
        self.reload()

    def on_click(self, _event: events.Click) -> None:
        """A click anywhere in the area gives it the focus."""
        if self.screen.focused is None:
            self.focus_list()
