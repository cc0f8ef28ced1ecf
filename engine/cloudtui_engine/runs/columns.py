"""Metric and system records as columns of points by key. Pure.

Lines that have the same keys are turned into columns together. What is not as it should be falls back to a look
at every single value, where the wrong ones are left out and counted.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.sanitize import clean_line

MAX_STEP = 1 << 53
"""The greatest whole number that JSON's readers agree on."""
MAX_KEY = 200
_LATEST = 1e11
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_KEYS_KEPT = 20_000
_ROW = itemgetter("step", "t", "values")
_SYSTEM_ROW = itemgetter("seq", "t", "values")

Record = dict[str, Any]
Rows = Sequence[tuple[Any, Any, Any]]


@dataclass(slots=True)
class Columns:
    """Points by key, and how many values were no points."""

    points: dict[str, Points] = field(default_factory=dict)
    bad: int = 0
    first_step: int | None = None
    """That of the first line that has a point."""


class KeyCleaner:
    """Keys as they may be shown and stored; remembers those it has seen."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, key: str) -> str:
        """The clean key; empty when nothing is left of it."""
        found = self._seen.get(key)
        if found is None:
            found = clean_line(key, MAX_KEY)
            if len(self._seen) < _KEYS_KEPT and len(key) <= MAX_KEY:
                self._seen[key] = found
        return found


def collect(records: Iterable[Record], shift: float, clean: KeyCleaner, *, system: bool = False) -> Columns:
    """The points of metric records (or system samples, whose step is their number).

    Args:
        records: all of one kind, in order.
        shift: added to every time.
        clean: makes keys safe.
        system: the records are system samples.
    """
    try:
        rows = list(map(_SYSTEM_ROW if system else _ROW, records))
        return Columns(_fast(rows, shift, clean), 0, next((row[0] for row in rows if row[2]), None))
    except (KeyError, TypeError, OverflowError, ValueError):
        return _careful(records, shift, clean, "seq" if system else "step")


def _fast(rows: Rows, shift: float, clean: KeyCleaner) -> dict[str, Points]:
    """All lines of one shape at a time; raises when anything is not as it should be."""
    shapes: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        shape = tuple(row[2])
        found = shapes.get(shape)
        if found is None:
            found = shapes[shape] = []
        found.append(place)
    pieces: dict[str, list[tuple[list[int], Points]]] = {}
    for shape, places in shapes.items():
        same = rows if len(places) == len(rows) else [rows[place] for place in places]
        steps, times, values = zip(*same, strict=True)
        at, when = _steps(steps), _times(times, shift)
        columns = zip(*map(dict.values, values), strict=True)
        for key, column in zip(map(clean, shape), columns, strict=True):
            if not key:
                raise ValueError("a key without a visible character")
            pieces.setdefault(key, []).append((places, Points(at, when, _values(column))))
    return {key: found[0][1] if len(found) == 1 else _merged(found) for key, found in pieces.items()}


def _steps(values: tuple[Any, ...]) -> array[int]:
    steps = array("q", values)
    if min(steps) < 0 or max(steps) > MAX_STEP or bool in set(map(type, values)):
        raise ValueError("a step out of bounds")
    return steps


def _times(values: tuple[Any, ...], shift: float) -> array[float]:
    times = array("d", [value + shift for value in values] if shift else values)
    # A NaN passes neither comparison when it comes first, and spoils the sum when it comes later.
    if not (min(times) >= 0.0 and max(times) <= _LATEST and math.isfinite(sum(times))):
        raise ValueError("a time out of bounds")
    return times


def _values(column: tuple[Any, ...]) -> array[float]:
    try:
        return array("d", column)
    except TypeError:
        return array("d", [_WORDS[value] if isinstance(value, str) else value for value in column])


def _merged(pieces: list[tuple[list[int], Points]]) -> Points:
    """Points of one key from lines of several shapes, in the order of the lines."""
    places: list[int] = []
    whole = Points.empty()
    for lines, points in pieces:
        places += lines
        whole.extend(points)
    order = sorted(range(len(places)), key=places.__getitem__)
    return Points(
        array("q", [whole.steps[i] for i in order]),
        array("d", [whole.times[i] for i in order]),
        array("d", [whole.values[i] for i in order]),
    )


def _careful(records: Iterable[Record], shift: float, clean: KeyCleaner, step_name: str) -> Columns:
    """The same, one value after another, for records that hold something wrong."""
    found = Columns()
    for record in records:
        step, time = record.get(step_name), number(record.get("t"))
        values = record.get("values")
        if (
            type(step) is not int
            or not 0 <= step <= MAX_STEP
            or time is None
            or not 0.0 <= time + shift <= _LATEST
            or not isinstance(values, dict)
        ):
            found.bad += 1
            continue
        for raw, value in values.items():
            key, point = clean(raw), number(value)
            if not key or point is None:
                found.bad += 1
                continue
            if found.first_step is None:
                found.first_step = step
            points = found.points.setdefault(key, Points.empty())
            points.steps.append(step)
            points.times.append(time + shift)
            points.values.append(point)
    return found


def number(value: object) -> float | None:
    """A number of a record, whose words for NaN and infinities are meant; None for all else."""
    if isinstance(value, str):
        return _WORDS.get(value)
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
