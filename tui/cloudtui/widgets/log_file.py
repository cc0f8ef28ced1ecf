"""Lines of a file of any size, found by their offsets: nothing is read but what is shown or searched."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cloudtui_engine.sanitize import clean

BLOCK = 16 * 1024
"""A longer line is shown as several."""
_SEARCH = 1 << 20
COUNTED = 64 << 20
"""Matches are counted in so much of the end of a file."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line: where it starts, where the next one does, and its text, clean."""

    start: int
    end: int
    text: str


class LogFile:
    """A file that grows. Not there yet is the same as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        """Bytes at this moment."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def forward(self, offset: int, count: int) -> list[LogLine]:
        """At most `count` lines from the line start `offset` on."""
        lines: list[LogLine] = []
        size = self.size()
        while len(lines) < count and offset < size:
            block = self._read(offset, BLOCK * 4)
            if not block:
                break
            found, used = _split(block, offset, count - len(lines), last=offset + len(block) >= size)
            lines += found
            if not used:
                break
            offset += used
        return lines

    def backward(self, offset: int, count: int) -> int:
        """The start of the line that lies `count` lines before the line start `offset`."""
        while count > 0 and offset > 0:
            start = max(0, offset - BLOCK * 4)
            block = self._read(start, offset - start)
            starts = [start + cut for cut in _starts(block, at_line_start=start == 0) if start + cut < offset]
            if not starts:
                return start
            taken = min(count, len(starts))
            offset = starts[-taken]
            count -= taken
        return offset

    def line_start(self, offset: int) -> int:
        """The start of the line that `offset` lies in."""
        start = max(0, offset - BLOCK)
        block = self._read(start, offset - start)
        cut = block.rfind(b"\n")
        return start + cut + 1

    def find(self, needle: str, offset: int, *, backwards: bool = False) -> int | None:
        """The start of the next line that holds `needle`; capitals matter only where the needle has some."""
        pattern = _pattern(needle)
        step = self._before if backwards else self._after
        found = step(pattern, offset, len(needle.encode()))
        return None if found is None else self.line_start(found)

    def count(self, needle: str, within: int = COUNTED) -> int:
        """How often the needle is in the last `within` bytes, a block at a time."""
        pattern, length, size = _pattern(needle), len(needle.encode()), self.size()
        found, place = 0, max(0, size - within)
        while place < size:
            end = min(size, place + _SEARCH)
            block = self._read(place, end - place + length - 1)
            last = place
            for match in pattern.finditer(block):
                if place + match.start() < end:
                    found, last = found + 1, place + match.end()
            place = max(end, last)
        return found

    def _after(self, pattern: re.Pattern[bytes], offset: int, overlap: int) -> int | None:
        size = self.size()
        while offset < size:
            match = pattern.search(self._read(offset, _SEARCH + overlap))
            if match:
                return offset + match.start()
            offset += _SEARCH
        return None

    def _before(self, pattern: re.Pattern[bytes], offset: int, overlap: int) -> int | None:
        while offset > 0:
            start = max(0, offset - _SEARCH)
            end = min(offset, start + _SEARCH + overlap)
            found = [match.start() for match in pattern.finditer(self._read(start, end - start))]
            if found:
                return start + found[-1]
            offset = start
        return None

    def _read(self, offset: int, count: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                return os.pread(file.fileno(), count, offset)
        except FileNotFoundError:
            return b""


def _pattern(needle: str) -> re.Pattern[bytes]:
    return re.compile(re.escape(needle.encode()), re.IGNORECASE if needle == needle.lower() else 0)


def _split(block: bytes, offset: int, count: int, *, last: bool) -> tuple[list[LogLine], int]:
    """The lines of a block and how many bytes they take; the unfinished end only if the file ends there."""
    lines: list[LogLine] = []
    place = 0
    while len(lines) < count and place < len(block):
        end = block.find(b"\n", place, place + BLOCK) + 1
        if not end:
            if not last and len(block) - place < BLOCK and place:
                break
            end = min(len(block), place + BLOCK)
        lines.append(LogLine(offset + place, offset + end, shown(block[place:end])))
        place = end
    return lines, place


def _starts(block: bytes, *, at_line_start: bool) -> list[int]:
    starts = [0] if at_line_start else []
    place = block.find(b"\n")
    while place >= 0:
        starts.append(place + 1)
        place = block.find(b"\n", place + 1)
    return starts


def shown(raw: bytes) -> str:
    """A line as it is shown: what a carriage return overwrote is gone, and nothing in it moves a terminal."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    return clean(text.rsplit("\r", 1)[-1]).expandtabs(4).replace("\n", " ")
