"""Files that arrive: whole and verified, or what came of them is kept for the next try."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from cloudtui_engine.errors import FailedError
from cloudtui_engine.hosts.landing import _BLOCK, Arrival, Landing

CONTENT = random.Random(3).randbytes(5 * _BLOCK + 77)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def pieces(content: bytes, size: int = 32_711) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def take_whole(arrival: Arrival, content: bytes) -> None:
    for piece in pieces(content):
        arrival.write(piece)
    arrival.finish()


def test_what_a_cut_left_is_gone_on_with(tmp_path: Path) -> None:
    with Landing(tmp_path) as landing:
        first = landing.arrive("a/big.bin", len(CONTENT), SHA256)
        for piece in pieces(CONTENT)[:20]:
            first.write(piece)
        first.close()
    with Landing(tmp_path) as landing:
        came = landing.offset_of("a/big.bin", len(CONTENT), SHA256)
        assert came == 20 * 32_711
        second = landing.arrive("a/big.bin", len(CONTENT), SHA256)
        take_whole(second, CONTENT[came:])
    assert (tmp_path / "a" / "big.bin").read_bytes() == CONTENT


def test_behind_what_could_not_be_written_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has room again right after it had none: what is kept is still a beginning of the file."""
    right, calls = os.writev, []

    def write(descriptor: int, pieces: Sequence[memoryview]) -> int:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return right(descriptor, pieces)

    with Landing(tmp_path) as landing:
        arrival = landing.arrive("big.bin", len(CONTENT), SHA256)
        with monkeypatch.context() as patch:
            patch.setattr("cloudtui_engine.hosts.landing.os.writev", write)
            with pytest.raises(FailedError, match=re.escape("cannot be written here: No space left")):
                take_whole(arrival, CONTENT)
            arrival.close()
        came = landing.offset_of("big.bin", len(CONTENT), SHA256)
        (kept,) = tmp_path.iterdir()
        assert 0 < came < len(CONTENT)
        assert kept.read_bytes() == CONTENT[:came]
        again = landing.arrive("big.bin", len(CONTENT), SHA256)
        take_whole(again, CONTENT[came:])
    assert (tmp_path / "big.bin").read_bytes() == CONTENT


def test_the_smallest_pieces_are_written_too(tmp_path: Path) -> None:
    with Landing(tmp_path) as landing:
        arrival = landing.arrive("big.bin", len(CONTENT), SHA256)
        for piece in pieces(CONTENT, 97):
            arrival.write(piece)
        arrival.finish()
    assert (tmp_path / "big.bin").read_bytes() == CONTENT
