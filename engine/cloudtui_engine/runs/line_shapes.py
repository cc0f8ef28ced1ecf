"""Metric lines that all look alike, read by one expression made for them. Pure.

Ingest spends its time on JSON: a line like `JournalWriter` writes it costs more as nested dictionaries (in
making
them, and in the garbage collector's looking at them) than to store. Lines of one run have the same few sets
of keys,
so an expression is made from the first line of a set, and finds step, time and numbers of all lines of that
shape.
What it does not match is parsed. (It also takes numbers that JSON would not, such as 01: the line's checksum
says that
its writer meant them.)
"""

from __future__ import annotations

import json
import math
import re
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LATEST = 4102444800.0
"""Seconds since the epoch that are no time any more: the year 2100."""
MAX_KEYS = 200
"""More in one line: dictionaries cost no more than a long expression does."""
_NUMBER = rb'([-+\d.eE]{1,60}|"nan"|"-?inf")'
_HEAD = rb'\{"seq":\d+,"t":([\d.]{1,24}),"m":[\d.]+,"kind":"metric","step":(\d{1,15}),"values":\{'
_PAIR = rb'("(?:[^"\\\x00-\x1f]|\\.)*"):' + _NUMBER
_ANY = re.compile(rb"^%b(%b(?:,%b)*)\}\}#[0-9a-f]{8}$" % (_HEAD, _PAIR, _PAIR), re.MULTILINE)
_PAIRS = re.compile(_PAIR)
_WORDS = {b'"nan"': math.nan, b'"inf"': math.inf, b'"-inf"': -math.inf}


@dataclass(slots=True)
class Group:
    """Lines of one shape."""

    places: Sequence[int]
    """Which lines of the batch they are."""
    steps: array[int]
    times: array[float]
    columns: list[tuple[str, array[float]]]
    """The values of each key, as the lines have them."""


class Shape:
    """One set of keys in one order."""

    def __init__(self, names: list[bytes]) -> None:
        self.keys = [str(json.loads(name)) for name in names]
        values = b",".join(re.escape(name) + b":" + _NUMBER for name in names)
        self._lines = re.compile(rb"^(?:(%b%b\}\})#([0-9a-f]{8})|(.*))$" % (_HEAD, values), re.MULTILINE)

    def take(self, whole: bytes, places: Sequence[int]) -> tuple[Group | None, list[bytes], Sequence[int]]:
        """The lines of this shape, and those that are not, with their places.

        Args:
            whole: lines.
            places: which lines of the batch these are.
        """
        rows = self._lines.findall(whole)
        left = [row[-1] for row in rows if not row[0]]
        rest: Sequence[int] = ()
        if left:
            rest = [place for place, row in zip(places, rows, strict=True) if not row[0]]
            places = [place for place, row in zip(places, rows, strict=True) if row[0]]
            rows = [row for row in rows if row[0]]
        group = self._group(rows, places) if rows else None
        return (group, left, rest) if group else (None, whole.split(b"\n"), sorted([*places, *rest]))

    def _group(self, rows: list[tuple[bytes, ...]], places: Sequence[int]) -> Group | None:
        """None where something is wrong in one of the lines: it is found line by line."""
        bodies, times, steps, *columns, sums, _ = zip(*rows, strict=True)
        if not _sums_match(bodies, sums):
            return None
        try:
            group = Group(places, array("q", map(int, steps)), array("d", map(float, times)), [])
            group.columns += zip(self.keys, map(_floats, columns), strict=True)
        except (ValueError, KeyError):
            return None
        return group if max(group.times) < LATEST else None


def shape_of(whole: bytes, known: dict[bytes, Shape]) -> Shape | None:
    """The shape of the first metric line that has one; made where it is not known yet."""
    first = _ANY.search(whole)
    if first is None:
        return None
    names = [pair[0] for pair in _PAIRS.findall(first[3])]
    if len(names) > MAX_KEYS:
        return None
    signature = b",".join(names)
    found = known.get(signature)
    if found is None:
        try:
            found = Shape(names)
        except ValueError:
            return None
        if len(set(found.keys)) < len(names):
            return None  # of a key that stands there twice JSON takes the last
        known[signature] = found
    return found


def _sums_match(bodies: Iterable[bytes], sums: Iterable[bytes]) -> bool:
    written = array("I", bytes.fromhex(b"".join(sums).decode("ascii")))
    if sys.byteorder == "little":
        written.byteswap()
    return written == array("I", map(zlib.crc32, bodies))


def _floats(texts: tuple[bytes, ...]) -> array[float]:
    try:
        return array("d", map(float, texts))
    except ValueError:
        return array("d", [_WORDS[text] if text[:1] == b'"' else float(text) for text in texts])
