"""Journal bytes as records: many lines at once, since this is what ingest spends its time on. Pure.

A checksum is checked for each line; the bodies of all lines are then parsed in one call. Where that fails, each line is
parsed by itself, so that one bad line costs no other. (Bodies that make sense only together with their neighbours would
pass as what they say together: they have the right checksums, so it is the host's own writer that says so.)
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

MAX_LINE = 1024 * 1024
"""Bytes of the longest line that is accepted."""
_CRC = 8
_END = _CRC + 1

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lines:
    """What a piece of a journal held."""

    used: int
    """Bytes up to and with the last newline; more where a line without an end is longer than any record."""
    records: list[Record]
    damaged: int


def parse(data: bytes) -> Lines:
    """The records of all complete lines. Never raises: what is no record is counted."""
    end = data.rfind(b"\n") + 1
    if len(data) - end > MAX_LINE:
        whole = parse(data[:end])
        return Lines(len(data), whole.records, whole.damaged + 1)
    if not end:
        return Lines(0, [], 0)
    lines = data[: end - 1].split(b"\n")
    crc32, bodies = zlib.crc32, []
    for line in lines:
        body = line[:-_END]
        # Lower case and fixed width, as the journal writes it.
        if b"#%08x" % crc32(body) == line[-_END:] and len(line) <= MAX_LINE:
            bodies.append(body)
    records, broken = _load(bodies)
    return Lines(end, records, len(lines) - len(bodies) + broken)


def _load(bodies: list[bytes]) -> tuple[list[Record], int]:
    try:
        values = json.loads(b"[%b]" % b",".join(bodies))
        if len(values) == len(bodies) and set(map(type, values)) <= {dict}:
            return values, 0
    except (ValueError, RecursionError):
        pass
    records = []
    for body in bodies:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            records.append(value)
    return records, len(bodies) - len(records)
