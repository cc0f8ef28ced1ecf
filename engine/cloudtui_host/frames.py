"""The framing between the engine and a host, both ways.

A frame is ``MAGIC (4) | kind (1) | length (4, big endian) | crc32 of the payload (4) | payload``.
A login shell may print anything before, between and after frames: a decoder that meets bytes which
are no frame drops them, up to the next magic, and keeps the first of them for an error message.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any, Dict, List, Tuple, Union

MAGIC = b"\x1eCT\x1e"
HEAD = struct.Struct(">4sBII")
LIMIT = 32 * 1024
"""The longest payload that is sent, so that a control reply never waits behind a long frame."""
MAX_ACCEPTED = 4 * 1024 * 1024
"""A longer length in a header is noise that happens to hold the magic."""

MESSAGE = 1
"""One JSON object: a request, a reply or an event."""
DATA = 2
"""``stream (4, big endian) | offset (8, big endian) | bytes``: part of a journal or of a file."""

DATA_HEAD = struct.Struct(">IQ")


def encode(kind: int, payload: bytes) -> bytes:
    """One frame around `payload`."""
    return HEAD.pack(MAGIC, kind, len(payload), zlib.crc32(payload)) + payload


def message(obj: Dict[str, Any]) -> bytes:
    """A MESSAGE frame around one JSON object."""
    return encode(MESSAGE, json.dumps(obj, separators=(",", ":"), allow_nan=False).encode())


def data_head(stream: int, offset: int, chunk: Union[bytes, memoryview]) -> bytes:
    """What stands before `chunk` in its DATA frame: for who would rather not copy it."""
    head = DATA_HEAD.pack(stream, offset)
    return HEAD.pack(MAGIC, DATA, len(head) + len(chunk), zlib.crc32(chunk, zlib.crc32(head))) + head


def data(stream: int, offset: int, chunk: bytes) -> bytes:
    """A DATA frame: `chunk` stands at `offset` of what `stream` names."""
    return data_head(stream, offset, chunk) + chunk


def split_data(payload: bytes) -> Tuple[int, int, memoryview]:
    """The (stream, offset, bytes) of a DATA payload, which is not copied."""
    stream, offset = DATA_HEAD.unpack_from(payload)
    return stream, offset, memoryview(payload)[DATA_HEAD.size :]


class Decoder:
    """Bytes in, whole frames out."""

    NOISE_KEPT = 4096

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.noise = bytearray()
        """The first bytes that were no frame, for an error message."""
        self.noise_bytes = 0
        """How many bytes were no frame."""

    def feed(self, chunk: bytes) -> List[Tuple[int, bytes]]:
        """The (kind, payload) of each frame that `chunk` completes."""
        buffer = self._buffer
        buffer += chunk
        frames = []
        position = 0
        while True:
            start = buffer.find(MAGIC, position)
            if start < 0:
                # A magic may be cut at the end of what has come so far.
                keep = max(position, len(buffer) - len(MAGIC) + 1)
                self._drop(buffer[position:keep])
                position = keep
                break
            self._drop(buffer[position:start])
            position = start
            if len(buffer) - start < HEAD.size:
                break
            _, kind, length, crc = HEAD.unpack_from(buffer, start)
            if length > MAX_ACCEPTED or kind not in (MESSAGE, DATA):
                self._drop(buffer[start : start + 1])
                position = start + 1
                continue
            end = start + HEAD.size + length
            if len(buffer) < end:
                break
            with memoryview(buffer) as view:  # a slice of the buffer itself would be one copy more
                payload = bytes(view[start + HEAD.size : end])
            if zlib.crc32(payload) != crc:
                self._drop(buffer[start : start + 1])
                position = start + 1
                continue
            frames.append((kind, payload))
            position = end
        del buffer[:position]
        return frames

    def _drop(self, chunk: bytearray) -> None:
        self.noise_bytes += len(chunk)
        if len(self.noise) < self.NOISE_KEPT:
            self.noise += chunk[: self.NOISE_KEPT - len(self.noise)]
