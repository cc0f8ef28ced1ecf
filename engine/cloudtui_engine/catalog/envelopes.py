"""A long series as few stretches, from the headers of its chunks as far as they will do."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui_engine.catalog.chunks import SIZE, Points
from cloudtui_engine.catalog.points import read_chunks, read_series, read_tail
from cloudtui_engine.catalog.visible import cut


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is known of the finite values of a stretch of steps."""

    first: int
    last: int
    count: int
    """Points, finite or not."""
    min: float | None
    max: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Some neighbouring points, summed up."""

    low: int
    high: int
    n: int
    vmin: float | None
    vmax: float | None
    total: float
    finite: int


def envelope(db: sqlite3.Connection, series: Sequence[tuple[int, int]], buckets: int) -> list[Bucket]:
    """At most `buckets` stretches of equal width over series (id, last visible step) of one key."""
    parts: list[_Part] = []
    points = sum(
        row[0] for number, _ in series for row in db.execute("SELECT n FROM series WHERE id = ?", (number,))
    )
    for number, limit in series:
        # A header stands for its 1,024 points only where a stretch holds several chunks.
        if points >= 2 * SIZE * buckets:
            parts += _headers(db, number, limit)
        else:
            parts += _single(cut(read_series(db, number), limit))
    if not parts:
        return []
    low, high = min(part.low for part in parts), max(part.high for part in parts)
    width = max(1, -(-(high - low + 1) // buckets))
    grouped: dict[int, list[_Part]] = {}
    for part in parts:
        grouped.setdefault(((part.low + part.high) // 2 - low) // width, []).append(part)
    return [_bucket(grouped[place]) for place in sorted(grouped)]


def _headers(db: sqlite3.Connection, series: int, limit: int) -> list[_Part]:
    rows = db.execute(
        "SELECT step_min, step_max, n, vmin, vmax, vsum, finite FROM chunk"
        " WHERE series = ? AND step_max <= ? ORDER BY seq0",
        (series, limit),
    ).fetchall()
    parts = [_Part(*row) for row in rows]
    # What is hidden in part must be looked into.
    for piece in (*read_chunks(db, series, limit), *read_tail(db, series)):
        parts += _single(cut(piece, limit))
    return parts


def _single(points: Points) -> list[_Part]:
    found = []
    for step, value in zip(points.steps, points.values, strict=True):
        if math.isfinite(value):
            found.append(_Part(step, step, 1, value, value, value, 1))
        else:
            found.append(_Part(step, step, 1, None, None, 0.0, 0))
    return found


def _bucket(parts: list[_Part]) -> Bucket:
    lows = [part.vmin for part in parts if part.vmin is not None]
    highs = [part.vmax for part in parts if part.vmax is not None]
    finite = sum(part.finite for part in parts)
    total = sum(part.total for part in parts)
    return Bucket(
        min(part.low for part in parts), max(part.high for part in parts), sum(part.n for part in parts),
        min(lows, default=None), max(highs, default=None), total / finite if finite else None,
    )  # fmt: skip
