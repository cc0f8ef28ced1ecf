"""A console is marked seldom, cheaply, and only where it grew."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudtui_host import console


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_marks_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(console, "time", clock)
    log = tmp_path / "console.log"
    watched = console.Console(str(tmp_path))
    assert watched.grown() is None, "not there yet"
    log.write_bytes(b"a" * 10)
    assert watched.grown() == 10
    log.write_bytes(b"a" * 20)
    assert watched.grown() is None, "too soon"
    clock.now += 1.0
    assert watched.grown() == 20
    clock.now += 1.0
    assert watched.grown() is None, "nothing new"
    clock.now += 30 * 86400
    log.write_bytes(b"a" * 30)
    assert watched.grown() == 30
    clock.now += 60
    log.write_bytes(b"a" * 40)
    assert watched.grown() is None, "after a month seconds do not matter"
    assert watched.grown(last=True) == 40
    assert watched.grown(last=True) is None
