from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtui_host.journal import DamagedLine, JournalBusy, JournalWriter, decode_line, encode_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_line_is_read_as_it_was_written(record: dict[str, Any]) -> None:
    line = encode_line(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_line(line[:-1]) == record


@given(st.dictionaries(st.text(), JSON, max_size=4), st.data())
def test_a_torn_or_changed_line_is_told(record: dict[str, Any], data: st.DataObject) -> None:
    line = encode_line(record)[:-1]
    with pytest.raises(DamagedLine):
        decode_line(line[: data.draw(st.integers(0, len(line) - 1))])
    at = data.draw(st.integers(0, len(line) - 1))
    changed = bytearray(line)
    changed[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(DamagedLine):
        # Only a letter of the checksum in the other case changes nothing.
        assert decode_line(bytes(changed)) == record


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(cut=st.integers(0, 400))
def test_a_writer_goes_on_after_a_torn_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    with JournalWriter(str(path)) as writer:
        for step in range(4):
            writer.metric(step, {"loss": float("nan") if step == 1 else 1.0 / (step + 1)})
    whole = path.read_bytes()
    os.truncate(path, min(cut, len(whole)))
    with JournalWriter(str(path)) as writer:
        writer.metric(9, {"loss": 1})
    seqs, damaged = [], 0
    for line in path.read_bytes().splitlines():
        try:
            seqs.append(decode_line(line)["seq"])
        except DamagedLine:
            damaged += 1
    assert seqs == list(range(len(seqs)))
    assert damaged <= 1
    kept = whole[: min(cut, len(whole))].count(b"\n")
    # A whole last line that lacks only its newline is no torn one.
    assert len(seqs) in (kept + 1, kept + 2)


def test_one_process_writes(tmp_path: Path) -> None:
    path = str(tmp_path / "j")
    with JournalWriter(path), pytest.raises(JournalBusy):
        JournalWriter(path)
    JournalWriter(path).close()


def test_what_a_full_disk_refused_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    room = [100]

    def short(descriptor: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(descriptor, content[: room[0]])
        room[0] -= done
        return done

    writer = JournalWriter(str(tmp_path / "j"))
    monkeypatch.setattr("os.write", short)
    for step in range(5):
        writer.metric(step, {"loss": step})
    with pytest.raises(OSError, match="No space"):
        writer.flush()
    assert writer.pending_bytes > 0
    room[0] = 1 << 20
    writer.metric(5, {"loss": 5})
    writer.close()
    steps = [decode_line(line)["step"] for line in (tmp_path / "j").read_bytes().splitlines()]
    assert steps == [0, 1, 2, 3, 4, 5]
