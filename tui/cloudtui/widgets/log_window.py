"""Which lines of a log are seen, and how far a cursor has come in them. Without a screen."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len, chop_cells

from cloudtui.widgets.log_file import LogFile, LogLine

Rows = list[tuple[str, LogLine]]


class LogWindow:
    """A window on a file. Its position is a byte offset: opening costs the same at any size."""

    def __init__(self, path: Path) -> None:
        self.file = LogFile(path)
        self.width = self.height = 1
        self.wrap = False
        self.left = 0
        """Columns that are cut off at the left of each line."""
        self.top = 0
        """Where the first line begins."""
        self.following = True
        """The end is what must be seen, whatever comes."""
        self.until: int | None = None
        """The cursor: what begins behind this byte came later. None: there is no cursor."""
        self.hides = False
        """What came later is not shown."""
        self._aligned = False
        """The line of the cursor is the last one that is seen."""
        self._resume = True
        """Without the cursor it would follow."""
        self._lines: list[LogLine] = []
        self._rows: Rows = []
        self._made_for: object = None

    def grown(self) -> None:
        """The file may be longer now, or more of it may fit."""
        self._made_for = None
        if self.following:
            self.top = self.last_top()
        elif self._aligned and self.until is not None:
            self.top = self.file.backward(self.until, max(1, self.height))

    def rows(self) -> Rows:
        """What is seen: text, and the line that it is of; one that is wrapped has several rows."""
        shown = self.until if self.hides else None
        size = self.file.size() if self.following else None
        wanted = (self.width, self.height, self.top, self.left, self.wrap, size, shown)
        if wanted != self._made_for:
            lines = self.file.forward(self.top, self.height)
            self._lines = [line for line in lines if shown is None or line.start < shown]
            self._rows = [row for line in self._lines for row in self._wrapped(line)]
            self._made_for = wanted
        if not self.following and not self._aligned:
            return self._rows[: self.height]
        reached = sum(self.is_reached(line) for _, line in self._rows)
        first = max(0, reached - self.height)
        return self._rows[first : first + self.height]

    def is_reached(self, line: LogLine) -> bool:
        """It did not come after the cursor."""
        return self.until is None or line.start < self.until

    def _wrapped(self, line: LogLine) -> Rows:
        if self.wrap and cell_len(line.text) > self.width > 0:
            return [(part, line) for part in chop_cells(line.text, self.width)]
        return [(line.text[self.left :], line)]

    def bar(self) -> range:
        """The rows in which a scroll bar stands; none where all is seen."""
        size, height = self.file.size(), self.height
        shown = (self._lines[-1].end - self._lines[0].start) if self._lines else 0
        if size <= shown or height < 2:
            return range(0)
        length = max(1, height * shown // size)
        start = min(self.top * (height - length) // max(1, size - shown), height - length)
        return range(start, start + length)

    # Moving

    def last_top(self) -> int:
        """Where the last screenful begins."""
        return self.file.backward(self.file.size(), max(1, self.height))

    def go(self, top: int) -> int | None:
        """Begin with the line that starts here.

        Returns:
            Where the last line that is seen ends; None at the end of all, where it follows.
        """
        last = self.last_top()
        self.top, self.until, self.hides = max(0, min(top, last)), None, False
        self.following, self._aligned = self.top >= last, False
        rows = [] if self.following else self.rows()
        return rows[-1][1].end if rows else None

    def lines(self, count: int) -> int | None:
        """Down by so many lines, up if negative; returns as `go` does."""
        if count < 0:
            return self.go(self.file.backward(self.top, -count))
        lines = self.file.forward(self.top, count)
        return self.go(lines[-1].end if lines else self.top)

    def stand(self, start: int) -> int | None:
        """Begin with a line that was looked for; returns where it ends."""
        self.following, self._aligned, self.top, self.hides = False, False, start, False
        found = self.file.forward(start, 1)
        return found[0].end if found else None

    def step(self, count: int) -> int | None:
        """Move the cursor by lines that are seen: where there are such behind it, or none above the first.

        Returns:
            Where the line of the cursor ends; None where all lines have to move instead.
        """
        rows = self.rows()
        at = self.file.size() if self.until is None else self.until
        lines = list(dict.fromkeys(line for _, line in rows))
        last = not lines or lines[-1].end <= at
        if not lines or (last and (self.top > 0 or count > 0)):
            return None
        here = sum(line.start < at for line in lines) - 1
        return lines[max(0, min(here + count, len(lines) - 1))].end

    def show_until(self, end: int | None, *, hides: bool = False) -> None:
        """Stand at the line that reaches over this byte, as if it were the last that was printed.

        None is no cursor: it goes on as before there was one.
        """
        if end is None:
            self.following = self.following or (self.until is not None and self._resume)
        else:
            self._resume = self.following if self.until is None else self._resume
            self.following = False
        self.until, self.hides, self._aligned = end, hides and end is not None, end is not None
        self.grown()
