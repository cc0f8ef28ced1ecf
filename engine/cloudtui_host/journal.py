"""The journal: one append-only file a writer, one record a line, ``{json}#crc32``.

A record has ``seq`` (from 0, without gaps within a file), ``t`` (wall clock, seconds), ``m`` (monotonic
clock, seconds), ``kind`` and what the kind needs:

- ``metric``: ``step`` (int >= 0), ``values`` ({key: number}; NaN and infinities as "nan", "inf", "-inf")
- ``progress``: any of ``epoch, epochs, step, steps, eta_s, rate``
- ``event``: ``name``, ``data`` (object)
- ``artifact``: ``name, size_bytes, sha256, type``
- ``report``: ``name``, ``data`` (object)
- ``done``: ``reason`` (completed, stopped, failed), ``message``
- ``system``: ``values`` ({key: number}), ``gpus`` (list)
- ``console``: ``size`` (int): so many bytes had been printed by now
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
import zlib
from typing import Any, Dict, List, Optional

KINDS = ("metric", "progress", "event", "artifact", "report", "done", "system", "console")
MAX_LINE = 1024 * 1024
"""Bytes of the longest line that is accepted; a longer one is a damaged journal."""


class DamagedLine(ValueError):  # noqa: N818 - the line is what it is about
    """A complete line that is not a record: torn by a crash, or changed."""


class JournalBusy(OSError):  # noqa: N818 - a state, not a fault
    """Another process writes this journal."""


def encode_line(record: Dict[str, Any]) -> bytes:
    """The line of a record, newline included."""
    body = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    return b"%s#%08x\n" % (body, zlib.crc32(body))


def decode_line(line: bytes) -> Dict[str, Any]:
    """The record of a line without its newline.

    Raises:
        DamagedLine: the checksum is missing or wrong, or the body is no JSON object.
    """
    if line[-9:-8] != b"#":
        raise DamagedLine("no checksum")
    body = line[:-9]
    try:
        if int(line[-8:], 16) != zlib.crc32(body):
            raise DamagedLine("wrong checksum")
        record = json.loads(body)
    except ValueError as error:
        raise DamagedLine(str(error)) from None
    if not isinstance(record, dict):
        raise DamagedLine("no object")
    return record


def plain(value: Any) -> Any:
    """A number as JSON can hold it: NaN and infinities become words."""
    number = float(value)
    if math.isfinite(number):
        return int(value) if isinstance(value, int) else number
    if math.isnan(number):
        return "nan"
    return "inf" if number > 0 else "-inf"


class JournalWriter:
    """Appends records to one journal file.

    Each `write` is one line in the buffer; `flush` hands the buffer to the kernel in one call, so a killed
    process loses at most what it had not flushed and never half a line from a flushed buffer.

    Args:
        path: the file; its folder must exist.
        flush_every: records after which the buffer is flushed.
        flush_seconds: age of the oldest unflushed record after which a write flushes.

    Raises:
        JournalBusy: another living writer holds the file.
    """

    def __init__(self, path: str, flush_every: int = 64, flush_seconds: float = 1.0) -> None:
        self.path = path
        self._flush_every = flush_every
        self._flush_seconds = flush_seconds
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise JournalBusy("another process writes " + path) from None
        self._buffer: List[bytes] = []
        self._oldest = 0.0
        self.seq = self._continue()

    def _continue(self) -> int:
        """The next seq; a line torn by a crash is closed so that it counts as one damaged line."""
        size = os.fstat(self._fd).st_size
        if not size:
            return 0
        start = max(0, size - MAX_LINE)
        end = os.pread(self._fd, size - start, start)
        if not end.endswith(b"\n"):
            os.write(self._fd, b"\n")
        for line in reversed(end.split(b"\n")):
            try:
                return int(decode_line(line)["seq"]) + 1
            except (DamagedLine, KeyError, TypeError, ValueError):
                continue
        return 0

    def write(self, kind: str, flush: bool = False, **fields: Any) -> None:
        """Append one record; `flush` hands it to the kernel now."""
        now = time.monotonic()
        record: Dict[str, Any] = {
            "seq": self.seq,
            "t": round(time.time(), 4),
            "m": round(now, 4),
            "kind": kind,
        }
        record.update(fields)
        if not self._buffer:
            self._oldest = now
        self._buffer.append(encode_line(record))
        self.seq += 1
        if flush or len(self._buffer) >= self._flush_every or now - self._oldest >= self._flush_seconds:
            self.flush()

    def metric(self, step: int, values: Dict[str, float], flush: bool = False) -> None:
        """Append one metric record."""
        self.write("metric", flush=flush, step=int(step), values={key: plain(v) for key, v in values.items()})

    @property
    def pending_bytes(self) -> int:
        """Bytes that no `flush` has handed to the kernel yet."""
        return sum(len(line) for line in self._buffer)

    def flush(self) -> None:
        """Hand all buffered lines to the kernel.

        Raises:
            OSError: not all was written; the rest is kept, and the next flush goes on with its first byte.
        """
        if not self._buffer:
            return
        view = memoryview(b"".join(self._buffer))
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        finally:
            self._buffer = [bytes(view)] if view else []

    def close(self) -> None:
        """Flush, make it durable and let go of the file, whatever happens. Closing twice is fine."""
        if self._fd < 0:
            return
        try:
            self.flush()
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(self, *_exc: Optional[Any]) -> None:
        self.close()
