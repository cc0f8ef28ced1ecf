"""The words of a line, as a shell has them, and where each stands. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

from cloudtui_engine.errors import UsageError


class Word(NamedTuple):
    """A word as it is meant, and the place of what was typed."""

    text: str
    at: int
    end: int


class LineError(UsageError):
    """What was typed cannot be done; `at` to `end` is the word that is wrong, or the end of the line."""

    def __init__(self, why: str, at: int, end: int, hint: str = "", *, more: bool = False) -> None:
        super().__init__(why, hint)
        self.at = at
        self.end = max(end, at + 1)
        self.more = more
        """It is right as far as it goes: something is still to come."""


def split(line: str) -> list[Word]:
    """The words of a line.

    Raises:
        LineError: a quote is still open.
    """
    words: list[Word] = []
    place = 0
    while place < len(line):
        if line[place].isspace():
            place += 1
            continue
        end = _end(line, place)
        words.append(Word("".join(shlex.split(line[place:end])), place, end))
        place = end
    return words


def _end(line: str, start: int) -> int:
    quote, place = "", start
    while place < len(line):
        one = line[place]
        if one == "\\" and quote != "'":
            place += 1
        elif quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        elif one.isspace():
            break
        place += 1
    if quote or place > len(line):
        raise LineError("The quote is not closed.", start, len(line), more=True)
    return place


def area_of(noun: str, areas: Mapping[str, str]) -> str:
    """The area that lists a noun; empty where none does."""
    return next((name for name in areas if name in {noun, f"{noun}s"}), "")
