"""The console log of a run: any size, follow, search, wrap. Its text is data and never markup."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.cells import set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudtui.widgets.lines import Lines, Runs
from cloudtui.widgets.log_file import COUNTED, LogFile
from cloudtui.widgets.log_window import LogWindow


class LogView(Lines, can_focus=True):
    """A window on a file. The position is a byte offset: opening costs the same at any size."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", "Up", show=False),
        Binding("down,j", "scroll_lines(1)", "Down", show=False),
        Binding("pageup", "scroll_page(-1)", "Page up", show=False),
        Binding("pagedown", "scroll_page(1)", "Page down", show=False),
        Binding("home,g", "top", "Start", show=False),
        Binding("end,G", "end", "End and follow", show=False),
        Binding("left", "shift(-16)", "Left", show=False),
        Binding("right", "shift(16)", "Right", show=False),
        Binding("f", "follow", "Follow", show=False),
        Binding("w", "wrap", "Wrap lines", show=False),
        Binding("slash", "search", "Search", show=False),
        Binding("n", "again(1)", "Next match", show=False),
        Binding("N", "again(-1)", "Previous match", show=False),
    ]

    class SearchWanted(Message):
        """The person wants to type what to search for."""

    class Moved(Message):
        """The position, or what is said of it, changed."""

    class Reached(Message):
        """The person went to the line that ends at this byte; None: to the end of all, whatever comes."""

        def __init__(self, end: int | None) -> None:
            super().__init__()
            self.end = end

    class _Sought(Message):
        """A search in a thread ended."""

        def __init__(self, file: LogFile, needle: str, found: int | None, matches: str) -> None:
            super().__init__()
            self.file = file
            self.needle = needle
            self.found = found
            self.matches = matches

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window = LogWindow(Path("/nonexistent"))
        self.live = True
        """More may come."""
        self.timed = False
        """It is known when lines were printed: the last one that is seen, or a clicked one, is a moment."""
        self.needle = ""
        self.notice = ""
        self.matches = ""
        """How often the needle is in the file, in words."""

    @property
    def file(self) -> LogFile:
        """What is shown."""
        return self.window.file

    @property
    def following(self) -> bool:
        """It stays at the end."""
        return self.window.following

    def open(self, path: Path) -> None:
        """Show this file from its end on."""
        if path != self.file.path:
            wrap = self.window.wrap
            self.window = LogWindow(path)
            self.window.wrap = wrap
            self.notice = self.matches = ""
        self.grown()

    def grown(self) -> None:
        """The file may have grown: redraw if that is seen."""
        self.window.width, self.window.height = self.size.width - 1, self.size.height
        self.window.grown()
        self._redraw()

    def _redraw(self) -> None:
        self.refresh()
        self.post_message(self.Moved())

    @property
    def position(self) -> str:
        """Where it stands, in words."""
        size = self.file.size()
        if self.notice:
            return self.notice
        matches = f"{self.matches}  " if self.matches else ""
        if self.following or not size:
            said = "following" if self.live else "end"
            return f"{matches}{said}" if self.following else ""
        return f"{matches}{min(100, self.window.top * 100 // size)}%"

    # Drawing

    def runs(self, y: int) -> Runs:
        """A line of the file, with what was searched for in the accent, and the scroll bar at the right."""
        rows = self.window.rows()
        text, line = rows[y] if y < len(rows) else ("", None)
        text = set_cell_size(text, self.size.width - 1)
        bar = ("▐", "faint") if y in self.window.bar() else (" ", "")
        if line is not None and self.window.until is not None:
            if not self.window.is_reached(line):
                return [(text, "muted"), bar]
            if y + 1 == len(rows) or not self.window.is_reached(rows[y + 1][1]):
                bar = ("◂", "accent")
        return [*self._found(text), bar] if self.needle and line is not None else [(text, ""), bar]

    def _found(self, text: str) -> list[tuple[str, str]]:
        haystack = text if self.needle != self.needle.lower() else text.lower()
        parts: list[tuple[str, str]] = []
        place = 0
        while len(haystack) == len(text) and (at := haystack.find(self.needle, place)) >= 0:
            parts += [(text[place:at], ""), (text[at : at + len(self.needle)], "*accent")]
            place = at + len(self.needle)
        return [*parts, (text[place:], "")]

    # Moving

    def _reach(self, end: int | None) -> None:
        """The person went there."""
        self.notice = ""
        if self.timed:
            self.window.until = end
            self.window.following = end is None
            self.post_message(self.Reached(end))
        self._redraw()

    def show_until(self, end: int | None, *, hides: bool = False) -> None:
        """Stand at what had been printed up to this byte; None: go on as before. See `LogWindow`."""
        self.window.show_until(end, hides=hides)
        self._redraw()

    def hide(self, later: bool) -> None:
        """Do not show what came after the cursor, or show it again."""
        self.window.hides = later and self.window.until is not None
        self._redraw()

    def action_scroll_lines(self, count: int) -> None:
        """Down by so many lines; up if negative."""
        end = self.window.step(count) if self.timed else None
        if end is None:
            end = self.window.lines(count)
        self._reach(end if end is None or end < self.file.size() else None)

    def action_scroll_page(self, direction: int) -> None:
        """A screenful."""
        self.action_scroll_lines(direction * max(1, self.size.height - 1))

    def action_top(self) -> None:
        """The start of the file."""
        self._reach(self.window.go(0))

    def action_end(self) -> None:
        """The end, and stay there."""
        self._reach(self.window.go(self.window.last_top()))

    def action_follow(self) -> None:
        """Stay at the end, or stand still."""
        if self.following:
            self.window.following = False
            self.grown()
        else:
            self.action_end()

    def action_wrap(self) -> None:
        """Break long lines, or cut them."""
        self.window.wrap = not self.window.wrap
        self.window.left = 0
        self.grown()

    def action_shift(self, columns: int) -> None:
        """Look at what lies to the side of long lines."""
        if not self.window.wrap:
            self.window.left = max(0, self.window.left + columns)
            self.refresh()

    # Searching

    def action_search(self) -> None:
        """Ask for what to search."""
        self.post_message(self.SearchWanted())

    def search(self, needle: str) -> None:
        """Go to the next line that holds this; empty: search for nothing."""
        self.needle, self.matches = needle, ""
        if needle:
            self._seek(self.window.top, backwards=False, wrapped=True)
        self.refresh()

    def action_again(self, direction: int) -> None:
        """The next match, or the one before."""
        if not self.needle:
            return
        lines = self.file.forward(self.window.top, 1)
        after = lines[0].end if lines else self.window.top
        self._seek(after if direction > 0 else self.window.top, backwards=direction < 0)

    def _seek(self, offset: int, *, backwards: bool, wrapped: bool = False) -> None:
        file, needle, matches = self.file, self.needle, self.matches

        def seek() -> None:
            found = file.find(needle, offset, backwards=backwards)
            if found is None and wrapped:
                found = file.find(needle, 0)
            told = matches or (counted(file, needle) if found is not None else "")
            self.post_message(self._Sought(file, needle, found, told))

        self.run_worker(seek, thread=True, exclusive=True, group="log-search", exit_on_error=False)

    def on_log_view__sought(self, event: _Sought) -> None:
        """A search ended: go there, unless something else is looked for by now."""
        if (event.file, event.needle) != (self.file, self.needle):
            return
        if event.found is None:
            self.notice = "no match"
            self._redraw()
            return
        self.matches = event.matches
        self._reach(self.window.stand(event.found))

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """The moment at which this line was printed."""
        rows = self.window.rows()
        if self.timed and event.y < len(rows):
            self._reach(rows[event.y][1].end)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three lines up."""
        event.stop()
        self.action_scroll_lines(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three lines down."""
        event.stop()
        self.action_scroll_lines(3)

    def on_resize(self) -> None:
        """Other lines fit."""
        self.grown()


def counted(file: LogFile, needle: str) -> str:
    """`12 matches`, and of what, where the file is too long to look at all of it."""
    number = file.count(needle)
    text = f"{number:,} match{'' if number == 1 else 'es'}"
    return text if file.size() <= COUNTED else f"{text} in the last {COUNTED >> 20} MB"
