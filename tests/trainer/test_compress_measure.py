"""What is made of readings of the clock, without reading it."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from cloudtui_trainer.compress import measure
from cloudtui_trainer.compress.measure import Timing


def test_a_ratio_is_how_many_times_as_fast_and_the_control_is_the_baseline_by_itself():
    timing = Timing(64, baseline=[2.0, 4.0, 6.0], candidate=[1.0, 1.0, 1.0], again=[1.0, 4.0, 3.0])
    assert timing.ratio == 4.0
    assert timing.control == [2.0, 1.0, 2.0]


def test_each_round_is_one_call_of_three_sessions_and_the_third_is_of_the_baseline(monkeypatch):
    opened, ticks = [], itertools.count()

    def session(content, threads):
        opened.append((content, threads))
        return SimpleNamespace(content=content, get_inputs=lambda: [SimpleNamespace(name="rows")])

    def call(session, _name, _batch, _threads):
        return lambda: {b"slow": 6.0, b"fast": 2.0}[session.content] + 0 * next(ticks)

    monkeypatch.setattr(measure.files, "session", session)
    monkeypatch.setattr(measure, "_call", call)
    found = measure.timed(b"slow", b"fast", {1: None, 64: None}, rounds=8, threads=1)
    assert opened == [(b"slow", 1), (b"fast", 1), (b"slow", 1)] * 2
    assert next(ticks) == 2 * 8 * 3
    for timing in found.values():
        assert (timing.baseline, timing.candidate, timing.again) == ([6.0] * 8, [2.0] * 8, [6.0] * 8)
        assert timing.ratio == pytest.approx(3.0)
