"""A list as every area shows it: head, filter line while one is typed, table, or a notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from cloudtui import format as fmt
from cloudtui.areas.headed import Headed
from cloudtui.areas.parts import Listing
from cloudtui.widgets.head import Head
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.table import Column, Table
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui.areas.finding import Finding
    from cloudtui.widgets.filter_bar import FilterBar
    from cloudtui.widgets.query_line import QueryLine


class ListPane(Headed, Vertical):
    """Head, table and notice of one list."""

    ALLOW_MAXIMIZE = True

    class FilterChanged(Message):
        """Another filter is to be applied."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, title: str, columns: Sequence[Column]) -> None:
        super().__init__(classes="list-pane")
        self.head = Head(title)
        self.notice = Notice()
        self.table = Table(columns)
        self.filter = ""
        self.finding: Finding | None = None
        """Where the filter is of the query language: what its line knows."""
        self._line: FilterBar | QueryLine | None = None

    def compose(self) -> ComposeResult:
        """Head above table; the notice is there but not seen."""
        self.notice.display = False
        yield self.head
        yield self.notice
        yield self.table

    def entitle(self, title: str, listing: Listing, wanted: str, freshness: tuple[str, str]) -> None:
        """What is listed and how many, how many are marked, which of them, and how old that may be."""
        marked = f"{len(self.table.marked)} marked" if self.table.marked else ""
        what = " · ".join(
            part for part in (f"{title} {fmt.count(listing.total)}", listing.note, marked) if part
        )
        named = f"View: {clean_line(listing.view)}" if listing.view else f"/ {wanted}" if wanted else ""
        self.head.show(what, named, *freshness)

    def show_table(self) -> None:
        """Rows are there."""
        self.notice.display = False
        self.table.display = True

    def say(self, what: str, *, more: str = "", begin: str = "") -> None:
        """There are none: this stands in their place."""
        self.notice.say(what, more=more, begin=begin)
        self._show_notice()

    def say_empty(self, wanted: str, empty: tuple[str, str, str]) -> None:
        """Nothing is listed, of all or of what a filter wants."""
        if wanted:
            self.say(f"Nothing fits “{wanted}”.", begin="/ change the filter   esc in it: show all")
        else:
            what, more, begin = empty
            self.say(what, more=more, begin=begin)

    def fail(self, error: CloudtuiError) -> None:
        """They could not be read."""
        self.notice.fail(error)
        self._show_notice()
        self.table.show(())

    def _show_notice(self) -> None:
        self.notice.display = True
        self.table.display = False

    async def edit_filter(self) -> None:
        """Open the filter line, or go to it."""
        if self._line is None:
            self._line = self._make_line()
            await self.mount(self._line, after=self.head)
        self._line.focus()

    def _make_line(self) -> FilterBar | QueryLine:
        if self.finding is None:
            from cloudtui.widgets.filter_bar import FilterBar

            return FilterBar(self.filter)
        from cloudtui.widgets.query_line import QueryLine

        line = QueryLine(self.filter, self.finding.known)
        self.finding.read(line.learn)
        return line

    async def on_filter_bar_edited(self, event: FilterBar.Edited) -> None:
        """Apply it; close the line when it was confirmed or given up."""
        event.stop()
        if event.text != self.filter:
            self.filter = event.text
            self.post_message(self.FilterChanged(event.text))
        if event.closed and self._line is not None:
            line, self._line = self._line, None
            if self.finding is not None:
                self.finding.remember(event.text)
            focused = line.has_focus or line.has_focus_within
            await line.remove()
            if focused or self.screen.focused is None:
                self.table.focus()
