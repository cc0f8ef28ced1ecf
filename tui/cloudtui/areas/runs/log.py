"""The log tab: what the run printed, as far as it is here."""

from __future__ import annotations

from textual.app import ComposeResult

from cloudtui import format as fmt
from cloudtui.areas.runs.tab import RunTab
from cloudtui.widgets.filter_bar import FilterBar
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.log_view import LogView


class LogTab(RunTab):
    """A log view with a line for the search."""

    def compose(self) -> ComposeResult:
        """The log above its line of keys."""
        self.log_view = LogView()
        self.foot = Foot()
        yield self.notice
        yield self.log_view
        yield self.foot

    def load(self) -> None:
        """Open the file of the newest attempt."""
        run = self.run_shown
        if run is None:
            return
        self.log_view.open(self.bridge.paths.console(run.id, run.attempt))
        empty = not self.log_view.file.size()
        self.notice.display = empty
        if empty:
            ended = (
                "It ended without a line." if run.status.is_finished else "Lines appear here as they arrive."
            )
            self.notice.say(
                "Nothing printed yet" if not run.status.is_finished else "Nothing printed", more=ended
            )

    def changed(self, topics: frozenset[str]) -> None:
        """Lines arrived."""
        if f"log:{self.shown_id}" in topics:
            self.load()

    def focus_inside(self) -> None:
        """The log takes the keys."""
        self.log_view.focus()

    def on_log_view_moved(self, event: LogView.Moved) -> None:
        """Say where it stands."""
        event.stop()
        view = self.log_view
        wrap = "w cut lines" if view.wrap else "w wrap"
        keys = f"f {'stand still' if view.following else 'follow'}  / search  n N next, previous  {wrap}"
        self.foot.show(keys, f"{fmt.size(view.file.size())}  {view.position}")

    async def on_log_view_search_wanted(self, event: LogView.SearchWanted) -> None:
        """Type what to search for."""
        event.stop()
        if not self.query(FilterBar):
            bar = FilterBar(self.log_view.needle, placeholder="search the log", live=False)
            await self.mount(bar, before=self.foot)
            bar.focus()

    async def on_filter_bar_edited(self, event: FilterBar.Edited) -> None:
        """Search."""
        event.stop()
        if event.closed:
            await self.query(FilterBar).remove()
            self.log_view.focus()
        self.log_view.search(event.text)
