"""The log tab: what the run printed, as far as it is here, and when."""

from __future__ import annotations

from textual.app import ComposeResult

from cloudtui import format as fmt
from cloudtui.areas.runs.log_times import LogTimes
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.filter_bar import FilterBar
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.log_view import LogView


class LogTab(RunTab):
    """A log view with a line for the search. Its last line that is seen is the run's cursor."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._times: tuple[tuple[str, int], LogTimes | None] = (("", 0), None)
        """Of which attempt, and when what of it was printed."""
        self._behind = False
        """There are lines whose times were not read yet."""
        self._cursor: tuple[float | None, bool] = (None, False)
        self._told: float | None = None
        """The moment that was gone to here."""

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
        view = self.log_view
        view.live = not run.status.is_finished
        view.open(self.bridge.paths.console(run.id, run.attempt))
        if self._times[0] != (run.id, run.attempt):
            self._times, self._told = ((run.id, run.attempt), None), None
            view.timed = False
            self._read_times()
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
        """Lines arrived, or their times."""
        if f"log:{self.shown_id}" in topics:
            self._behind = True
            self.load()

    def tick(self) -> None:
        """Times are read once a second at most: of a long run there are many."""
        if self._behind:
            self._read_times()

    def _read_times(self) -> None:
        (run, attempt), self._behind = self._times[0], False

        def work() -> tuple[tuple[str, int], LogTimes | None]:
            return (run, attempt), LogTimes.of(*self.bridge.catalog.metrics.console_marks(run, attempt))

        self.reader.ask(work, self._learn)

    def _learn(self, found: tuple[tuple[str, int], LogTimes | None]) -> None:
        if found[0] == self._times[0]:
            self._times = found
            self.log_view.timed = found[1] is not None
            self._stand()

    # The run's cursor

    @property
    def times(self) -> LogTimes | None:
        """When what was printed, where that is known."""
        return self._times[1]

    @property
    def span(self) -> tuple[float, float] | None:
        """From the first line to the last."""
        return self.times.span if self.times is not None else None

    def show_moment(self, moment: float | None, *, reveal: bool = False) -> None:
        """Stand at the last line that was printed by then."""
        self._cursor = (moment, reveal)
        self._stand()

    def _stand(self) -> None:
        moment, reveal = self._cursor
        if not self.is_mounted:
            return
        if moment is not None and moment == self._told:  # gone to here: it stands there already
            self.log_view.hide(reveal)
        elif moment is None or self.times is not None:
            self._told = None
            end = None if moment is None or self.times is None else self.times.size_at(moment)
            self.log_view.show_until(end, hides=reveal)
        self._say()

    def on_log_view_reached(self, event: LogView.Reached) -> None:
        """The cursor of this log is that of the run."""
        event.stop()
        if self.times is not None:
            moment = None if event.end is None else self.times.moment_of(event.end)
            self._told, self._cursor = moment, (moment, self._cursor[1] and moment is not None)
            self.post_message(self.Moved(self, moment, pinned=True))

    def focus_inside(self) -> None:
        """The log takes the keys."""
        self.log_view.focus()

    def on_log_view_moved(self, event: LogView.Moved) -> None:
        """Say where it stands."""
        event.stop()
        self._say()

    def _say(self) -> None:
        view = self.log_view
        keys = ["w cut lines" if view.window.wrap else "w wrap", "/ search"]
        if view.live:
            keys.insert(0, f"f {'stand still' if view.following else 'follow'}")
        if view.needle:
            keys.append("n N next, previous")
        if self.times is not None:
            keys.append("space replay")
        said = [fmt.size(view.file.size()), view.position, self._at()]
        self.foot.show("  ".join(keys), "  ".join(part for part in said if part))

    def _at(self) -> str:
        """The moment at which it stands, counted from the run's start; or that it cannot be known."""
        run, moment = self.run_shown, self._cursor[0]
        if self.times is None:
            untold = moment is not None or not self.log_view.live
            return "lines without times" if untold and self.log_view.file.size() else ""
        if moment is None or run is None:
            return ""
        begun = self.times.span[0] if run.started_at is None else run.started_at
        return f"at {fmt.duration(max(0.0, moment - begun))}"

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
