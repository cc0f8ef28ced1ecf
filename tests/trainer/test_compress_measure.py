"""What is made of readings of the clock, without reading it."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from cloudtui_trainer.compress import measure
from cloudtui_trainer.compress.measure import Timing
from cloudtui_trainer.stop import Stopped


def test_a_ratio_is_how_many_times_as_fast_and_the_control_is_the_baseline_by_itself():
    timing = Timing(64, baseline=[2.0, 4.0, 6.0], candidate=[1.0, 1.0, 1.0], again=[1.0, 4.0, 3.0])
    assert timing.ratio == 4.0
    assert timing.control == [2.0, 1.0, 2.0]


def test_a_ratio_is_of_readings_of_one_round_so_that_what_slows_a_round_counts_in_both():
    timing = Timing(1, baseline=[1.0, 10.0, 100.0], candidate=[1.0, 5.0, 200.0])
    assert timing.ratio == 1.0


def test_the_band_of_noise_holds_every_median_of_the_control_both_ways():
    chance = np.random.default_rng(3)
    controls = [list(chance.normal(at, 0.01, 30)) for at in (1.0, 1.1)]
    low, high = measure.band(controls)
    assert low < 0.92
    assert 1.09 < high < 1.13
    assert low == pytest.approx(1 / high, rel=0.01)
    narrow = measure.band(controls[:1])
    assert 0.98 < narrow[0] < 1 < narrow[1] < 1.02
    assert measure.band([]) == [1.0, 1.0]


def test_cpu_time_is_read_where_one_thread_does_all_the_work():
    assert measure.clock(1) is time.thread_time
    assert measure.clock(2) is time.perf_counter


def test_each_goes_first_second_and_last_as_often(monkeypatch):
    """What comes after a larger one finds a colder cache."""
    opened, called = itertools.count(), []

    def session(_content, _threads):
        return SimpleNamespace(number=next(opened) % 3, get_inputs=lambda: [SimpleNamespace(name="rows")])

    monkeypatch.setattr(measure.files, "session", session)
    monkeypatch.setattr(measure, "_call", lambda it, *_: lambda: called.append(it.number) or 1.0)
    measure.timed(b"", b"", {1: None}, rounds=12)
    for place in range(3):
        assert Counter(called[place::3]) == {0: 4, 1: 4, 2: 4}


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


def test_who_looks_in_ends_it_at_the_next_round_or_batch(monkeypatch):
    session = SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name="rows")], run=lambda *_: [np.eye(2)])
    calls, looks = itertools.count(), iter([None, None])

    def look():
        try:
            next(looks)
        except StopIteration:
            raise Stopped from None

    monkeypatch.setattr(measure.files, "session", lambda *_: session)
    monkeypatch.setattr(measure, "_call", lambda *_: lambda: float(next(calls)))
    with pytest.raises(Stopped):
        measure.timed(b"", b"", {1: None}, rounds=9, look=look)
    assert next(calls) == 2 * 3
    seen = []
    judge = SimpleNamespace(batches=lambda _: (seen.append(n) or (n, np.zeros(2)) for n in range(9)))
    looks = iter([None, None])
    with pytest.raises(Stopped):
        measure.answers(b"", judge, "validation", look)
    assert seen == [0, 1, 2]
