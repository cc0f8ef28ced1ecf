"""Smoothing, axes, moments and the replay: without a screen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudtui.areas.runs import over
from cloudtui.areas.runs.moment import Clock
from cloudtui.areas.runs.replay import SPEEDS, Replay
from cloudtui.widgets import axes, plot, raster, smoothing
from cloudtui_engine.records.run import Series

POINTS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=80)


def direct(line: raster.Line, half_life: float) -> list[float]:
    """What the average is by its definition, in quadratic time."""
    found = []
    for place in range(len(line)):
        weights = 0.5 ** ((line.x[place] - line.x[: place + 1]) / half_life)
        found.append(float((weights * line.y[: place + 1]).sum() / weights.sum()))
    return found


@given(POINTS, st.floats(1e-3, 1e7))
@settings(max_examples=150, deadline=None)
def test_the_average_is_what_its_definition_says(points: list[tuple[float, float]], half: float) -> None:
    line = raster.prepare(*zip(*points, strict=True))
    mean = smoothing.ema(line, half).y
    assert mean == pytest.approx(direct(line, half), rel=1e-6, abs=1e-3)
    assert (mean <= np.maximum.accumulate(line.y) + 1e-3).all()


def test_on_even_steps_it_is_the_usual_one_with_bias_correction() -> None:
    values = np.random.default_rng(2).normal(size=500)
    mean = smoothing.ema(raster.prepare(np.arange(500), values), 7.0).y
    alpha, sums = 0.5 ** (1 / 7.0), 0.0
    for step, value in enumerate(values, 1):
        sums = alpha * sums + (1 - alpha) * value
        assert mean[step - 1] == pytest.approx(sums / (1 - alpha**step))


def test_it_forgets_over_a_gap_and_never_overflows() -> None:
    line = raster.prepare([0, 1, 2, 1e9, 1e9 + 1], [100.0, 100.0, 100.0, 1.0, 1.0])
    assert smoothing.ema(line, 1.0).y.tolist()[-2:] == pytest.approx([1.0, 1.0])
    huge = raster.prepare(range(4), [1.7e308] * 4)
    assert np.isfinite(smoothing.ema(huge, 1e3).y).all()


def test_smoothing_keeps_gaps() -> None:
    line = raster.prepare(range(5), [1.0, 2.0, math.nan, 3.0, 4.0])
    assert smoothing.smoothed(line, 5).joined.tolist() == line.joined.tolist()


def test_a_log_axis_says_what_it_leaves_out() -> None:
    line = raster.prepare(range(4), [10.0, 0.0, -1.0, math.nan], log=True)
    assert line.left_out == 2
    frame = plot.draw(plot.Spec("loss", ["train"], [line], log=True), 80, 8)
    assert "loss  log, 2 ≤ 0 left out" in "".join(text for text, _ in frame.rows[0])


def test_a_curve_that_is_drawn_up_to_a_place_has_the_axes_of_the_whole() -> None:
    line = raster.prepare(range(100), range(100))
    whole = plot.draw(plot.Spec("loss", ["train"], [line]), 80, 12)
    part = plot.draw(plot.Spec("loss", ["train"], [line], until=49.0, pointer=49.0), 80, 12)
    none = plot.draw(plot.Spec("loss", ["train"], [line], until=-math.inf), 80, 12)
    assert part.view == none.view == whole.view
    assert part.rows[-1] == whole.rows[-1]
    assert "49" in "".join(text for text, _ in part.rows[0])

    def drawn(frame: plot.Frame) -> int:
        return max((i for row in frame.rows[1:-1] for i, c in enumerate("".join(t for t, _ in row))
                    if c >= "⠁"), default=0)  # fmt: skip

    assert drawn(whole) == 79
    assert abs(drawn(part) - (whole.left + whole.width // 2)) <= 1
    assert drawn(none) == 0


@given(
    st.floats(-1e7, 1e9), st.floats(1e-3, 1e9), st.integers(2, 20), st.sampled_from(["step", "time", "epoch"])
)
def test_marks_lie_on_the_axis_and_are_few(low: float, span: float, most: int, axis: axes.Axis) -> None:
    marks = axes.marks(axis, low, low + span, most)
    places = [place for place, _ in marks]
    assert len(marks) <= most + 1
    assert places == sorted(places)
    assert all(low - span * 1e-6 - 1e-6 <= place <= low + span * 1.000001 + 1e-6 for place in places)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (120, "2m"), (125, "2m05s"), (5400, "1h30m"), (194_400, "2d06h"), (-60, "-1m")],
)
def test_times_are_short(seconds: float, text: str) -> None:
    assert axes.clock(seconds) == text


def test_time_marks_are_round() -> None:
    assert [text for _, text in axes.marks("time", 0, 5400, 4)] == ["0s", "30m", "1h", "1h30m"]


def series(key: str, steps: list[int], values: list[float]) -> Series:
    return Series(key, np.array(steps), np.array(values), np.array([1000.0 + 2 * step for step in steps]))


def test_the_axes_of_a_run() -> None:
    loss, epoch = series("train/loss", [0, 5, 10], [3.0, 2.0, 1.0]), series("epoch", [0, 10], [0.0, 2.0])
    assert over.axes_of([loss]) == ("step", "time")
    assert over.axes_of([loss, epoch]) == ("step", "time", "epoch")
    assert over.axes_of([loss, series("epoch", [0, 10], [2.0, 0.0])]) == ("step", "time")
    assert over.places([loss, epoch], "step")["train/loss"].tolist() == [0, 5, 10]
    assert over.places([loss, epoch], "time")["train/loss"].tolist() == [0.0, 10.0, 20.0]
    assert over.places([loss, epoch], "epoch")["train/loss"].tolist() == [0.0, 1.0, 2.0]


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1e6)), min_size=1, max_size=50))
def test_a_clock_goes_there_and_back(points: list[tuple[int, float]]) -> None:
    clock = Clock.of([x for x, _ in points], [t for _, t in points])
    assert clock is not None
    assert clock.place(clock.span[0] - 1) is None
    for x in clock.x:
        place = clock.place(clock.moment(x))
        assert place is not None
        assert place >= x or clock.moment(place) == clock.moment(x)
    assert Clock.of([], []) is None
    assert Clock.of([1.0], [math.nan]) is None


def test_a_replay_runs_pauses_and_begins_anew() -> None:
    replay = Replay(100.0, 300.0)
    assert (replay.at, replay.speed) == (100.0, 10)
    replay.advance(2.0)
    assert replay.at == 120.0
    replay.faster(1)
    replay.advance(1.0)
    assert replay.at == 140.0
    replay.toggle()
    replay.advance(5.0)
    assert (replay.at, replay.playing) == (140.0, False)
    replay.go(1e9)
    replay.toggle()
    assert (replay.at, replay.playing) == (100.0, True)
    replay.advance(1e9)
    assert (replay.at, replay.playing) == (300.0, False)
    for _ in range(20):
        replay.faster(-1)
    assert replay.speed == SPEEDS[0]
    assert Replay(100.0, 300.0, 150.0).at == 150.0
