"""The console log of a run: any size, follow, search, wrap. Its text is data and never markup."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len, chop_cells, set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudtui.widgets.lines import Lines, Runs
from cloudtui.widgets.log_file import COUNTED, LogFile, LogLine


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
        self.file = LogFile(Path("/nonexistent"))
        self.following = True
        self.wrap = False
        self.needle = ""
        self.notice = ""
        self.matches = ""
        """How often the needle is in the file, in words."""
        self._top = 0
        self._left = 0
        self._lines: list[LogLine] = []
        self._rows: list[tuple[str, bool]] = []
        self._read_for: object = None

    def open(self, path: Path) -> None:
        """Show this file from its end on."""
        if path != self.file.path:
            self.file = LogFile(path)
            self.following, self._top, self._left, self.notice, self.matches = True, 0, 0, "", ""
        self.grown()

    def grown(self) -> None:
        """The file may have grown: redraw if that is seen."""
        self._read_for = None
        if self.following:
            self._top = self._last_top()
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
            return f"{matches}following" if self.following else ""
        return f"{matches}{min(100, self._top * 100 // size)}%"

    # Drawing

    def runs(self, y: int) -> Runs:
        """A line of the file, with what was searched for in the accent, and the scroll bar at the right."""
        rows = self._visible()
        text, faint = rows[y] if y < len(rows) else ("", True)
        width = self.size.width - 1
        text = set_cell_size(text, width)
        bar = ("▐", "faint") if self._in_bar(y) else (" ", "")
        if not self.needle or faint:
            return [(text, "faint" if faint else ""), bar]
        return [*self._found(text), bar]

    def _found(self, text: str) -> list[tuple[str, str]]:
        haystack = text if self.needle != self.needle.lower() else text.lower()
        parts: list[tuple[str, str]] = []
        place = 0
        while len(haystack) == len(text) and (at := haystack.find(self.needle, place)) >= 0:
            parts += [(text[place:at], ""), (text[at : at + len(self.needle)], "*accent")]
            place = at + len(self.needle)
        return [*parts, (text[place:], "")]

    def _in_bar(self, y: int) -> bool:
        size, height = self.file.size(), self.size.height
        shown = self._shown_bytes()
        if size <= shown or height < 2:
            return False
        length = max(1, height * shown // size)
        start = self._top * (height - length) // max(1, size - shown)
        return min(start, height - length) <= y < min(start, height - length) + length

    def _shown_bytes(self) -> int:
        return (self._lines[-1].end - self._lines[0].start) if self._lines else 0

    def _visible(self) -> list[tuple[str, bool]]:
        width, height = self.size.width - 1, self.size.height
        key = (width, height, self._top, self._left, self.wrap, self.file.size() if self.following else None)
        if key != self._read_for:
            self._lines = self.file.forward(self._top, height)
            self._rows = [row for line in self._lines for row in self._wrapped(line, width)]
            self._read_for = key
        # While following, the end is what must be seen.
        return self._rows[-height:] if self.following else self._rows[:height]

    def _wrapped(self, line: LogLine, width: int) -> list[tuple[str, bool]]:
        if self.wrap and cell_len(line.text) > width > 0:
            return [(part, False) for part in chop_cells(line.text, width)]
        return [(line.text[self._left :], False)]

    # Moving

    def _last_top(self) -> int:
        return self.file.backward(self.file.size(), max(1, self.size.height))

    def _go(self, top: int) -> None:
        last = self._last_top()
        self._top = max(0, min(top, last))
        self.following = self._top >= last
        self.notice = ""
        self.refresh()
        self.post_message(self.Moved())

    def action_scroll_lines(self, count: int) -> None:
        """Down by so many lines; up if negative."""
        if count < 0:
            self._go(self.file.backward(self._top, -count))
        else:
            lines = self.file.forward(self._top, count)
            self._go(lines[-1].end if lines else self._top)

    def action_scroll_page(self, direction: int) -> None:
        """A screenful."""
        self.action_scroll_lines(direction * max(1, self.size.height - 1))

    def action_top(self) -> None:
        """The start of the file."""
        self._go(0)

    def action_end(self) -> None:
        """The end, and stay there."""
        self._go(self._last_top())

    def action_follow(self) -> None:
        """Stay at the end, or stand still."""
        self.following = not self.following
        self.grown()

    def action_wrap(self) -> None:
        """Break long lines, or cut them."""
        self.wrap = not self.wrap
        self._left = 0
        self.grown()

    def action_shift(self, columns: int) -> None:
        """Look at what lies to the side of long lines."""
        if not self.wrap:
            self._left = max(0, self._left + columns)
            self.refresh()

    # Searching

    def action_search(self) -> None:
        """Ask for what to search."""
        self.post_message(self.SearchWanted())

    def search(self, needle: str) -> None:
        """Go to the next line that holds this; empty: search for nothing."""
        self.needle, self.matches = needle, ""
        if needle:
            self._seek(self._top, backwards=False, wrapped=True)
        self.refresh()

    def action_again(self, direction: int) -> None:
        """The next match, or the one before."""
        if not self.needle:
            return
        lines = self.file.forward(self._top, 1)
        after = lines[0].end if lines else self._top
        self._seek(after if direction > 0 else self._top, backwards=direction < 0)

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
        else:
            self.following, self._top, self.notice = False, event.found, ""
            self.matches = event.matches
        self.refresh()
        self.post_message(self.Moved())

    # Mouse

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
