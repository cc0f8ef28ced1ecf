"""Journal bytes as records, many lines at once; what is no record is counted and costs no other. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.runs.line_shapes import Group, Shape, shape_of

MAX_LINE = 1024 * 1024
"""Bytes of the longest line that is accepted."""
MAX_SHAPES = 4
"""Kinds of metric lines in a batch that are read together."""
_SHAPES_KEPT = 64

Record = dict[str, Any]


@dataclass(slots=True)
class Lines:
    """What a piece of a journal held."""

    used: int = 0
    """Bytes up to and with the last newline; more where a line without an end is longer than any record."""
    groups: list[Group] = field(default_factory=list)
    """Metric records that were read together."""
    metrics: list[tuple[int, Record]] = field(default_factory=list)
    """Other metric records, with their places among the lines; nothing of them is checked."""
    records: list[Record] = field(default_factory=list)
    """All that are not metric, in order."""
    damaged: int = 0


class JournalParser:
    """Reads one journal, piece by piece; remembers only what its lines look like."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Shape] = {}

    def parse(self, data: bytes) -> Lines:
        """The records of all complete lines. Never raises."""
        end = data.rfind(b"\n") + 1
        found = Lines(end)
        if end:
            self._complete(data[: end - 1], found)
        if len(data) - end > MAX_LINE:
            found.used = len(data)
            found.damaged += 1
        return found

    def _complete(self, whole: bytes, found: Lines) -> None:
        places: Sequence[int] = range(whole.count(b"\n") + 1)
        lines: list[bytes] | None = None
        if len(self._shapes) > _SHAPES_KEPT:
            self._shapes.clear()
        for _ in range(MAX_SHAPES):
            shape = shape_of(whole, self._shapes)
            if shape is None:
                break
            group, lines, places = shape.take(whole, places)
            if group is None:
                break
            found.groups.append(group)
            if not lines:
                return
            whole = b"\n".join(lines)
        for place, line in zip(places, whole.split(b"\n") if lines is None else lines, strict=True):
            record = record_of(line)
            if record is None:
                found.damaged += 1
            elif record.get("kind") == "metric":
                found.metrics.append((place, record))
            else:
                found.records.append(record)


def record_of(line: bytes) -> Record | None:
    """The record of one line, None when it is none."""
    body = line[:-9]
    if len(line) > MAX_LINE or line[-9:] != b"#%08x" % zlib.crc32(body):
        return None
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
