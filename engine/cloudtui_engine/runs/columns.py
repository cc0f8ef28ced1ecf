"""Metric and system records as columns of points by key, safe to store. Pure."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.runs.line_shapes import LATEST, Group
from cloudtui_engine.sanitize import clean_line

MAX_STEP = 1 << 53
"""The greatest whole number that JSON's readers agree on."""
MAX_KEY = 200
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_KEYS_KEPT = 20_000

Record = dict[str, Any]


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


@dataclass(slots=True)
class _Piece:
    """Points of one key, and the lines that they are from."""

    places: Sequence[int]
    points: Points


@dataclass(frozen=True, slots=True)
class _Reading:
    """How records are read."""

    shift: float
    clean: KeyCleaner
    step: str


def collect(
    groups: Iterable[Group],
    others: Iterable[tuple[int, Record]],
    shift: float,
    clean: KeyCleaner,
    *,
    step: str = "step",
) -> Columns:
    """The points of metric records (or of system samples).

    Args:
        groups: records that were read together.
        others: the rest with their places among the lines; nothing of them is taken for granted.
        shift: added to every time.
        clean: makes keys safe.
        step: the name of what counts the records.
    """
    found, read = Columns(), _Reading(shift, clean, step)
    pieces: dict[str, list[_Piece]] = {}
    firsts: list[tuple[int, int]] = []
    for group in groups:
        times = array("d", [time + shift for time in group.times]) if shift else group.times
        firsts.append((group.places[0], group.steps[0]))
        for raw, values in group.columns:
            key = clean(raw)
            if key:
                pieces.setdefault(key, []).append(_Piece(group.places, Points(group.steps, times, values)))
            else:
                found.bad += len(values)
    loose: dict[str, tuple[list[int], Points]] = {}
    for place, record in others:
        found.bad += _loosen(place, record, read, loose)
    for key, (places, points) in loose.items():
        firsts.append((places[0], points.steps[0]))
        pieces.setdefault(key, []).append(_Piece(places, points))
    found.points = {key: one[0].points if len(one) == 1 else _merged(one) for key, one in pieces.items()}
    found.first_step = min(firsts)[1] if found.points else None
    return found


def _loosen(place: int, record: Record, read: _Reading, found: dict[str, tuple[list[int], Points]]) -> int:
    """Add the points of one record to `found`; returns how much of it was no point."""
    step, time, values = record.get(read.step), number(record.get("t")), record.get("values")
    if not is_step(step) or time is None or not 0.0 <= time < LATEST or not isinstance(values, dict):
        return 1
    bad = 0
    for raw, value in values.items():
        key, point = read.clean(raw), number(value)
        if not key or point is None:
            bad += 1
            continue
        places, points = found.setdefault(key, ([], Points.empty()))
        places.append(place)
        points.steps.append(step)
        points.times.append(time + read.shift)
        points.values.append(point)
    return bad


def _merged(pieces: list[_Piece]) -> Points:
    """Points of one key in the order of their lines."""
    places: list[int] = []
    whole = Points.empty()
    for piece in pieces:
        places += piece.places
        whole.extend(piece.points)
    order = sorted(range(len(places)), key=places.__getitem__)
    return Points(
        array("q", [whole.steps[i] for i in order]),
        array("d", [whole.times[i] for i in order]),
        array("d", [whole.values[i] for i in order]),
    )


def is_step(value: object) -> TypeGuard[int]:
    """A whole number that can count something."""
    return type(value) is int and 0 <= value <= MAX_STEP


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
