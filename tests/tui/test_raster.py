"""The raster never fails and never loses an extreme."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudtui.widgets import plot, raster, smoothing

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
FINITE = st.floats(-1e12, 1e12)
STEPS = st.integers(-(10**9), 10**9)


def drawn(line: raster.Line, columns: int = 60, rows: int = 40) -> tuple[raster.View, np.ndarray]:
    view = raster.extent([line])
    assert view is not None
    low, high = raster.envelope(line, view.x0, view.x1, columns)
    return view, raster.dots(low, high, view, rows)


@given(st.lists(st.tuples(st.floats(allow_nan=True), ANY), max_size=60), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_points_make_a_frame(points: list[tuple[float, float]], log: bool, smooth: bool) -> None:
    line = raster.prepare([x for x, _ in points], [y for _, y in points], log=log)
    spec = plot.Spec("loss", ["a"], [line], log=log, smooth=smooth, pointer=3.0)
    for width, height in ((60, 12), (12, 3), (5, 2), (30, 1)):
        frame = plot.draw(spec, width, height)
        assert len(frame.rows) <= height
        for row in frame.rows:
            assert sum(len(text) for text, _ in row) <= max(width, 12)


@given(st.lists(st.tuples(STEPS, FINITE), min_size=1, max_size=200))
@settings(max_examples=150, deadline=None)
def test_extremes_are_always_drawn(points: list[tuple[int, float]]) -> None:
    line = raster.prepare([x for x, _ in points], [y for _, y in points])
    view, mask = drawn(line)
    assert mask.any()
    values = [y for _, y in points]
    if max(values) > min(values):
        assert mask[0].any(), "the greatest value touches the top"
        assert mask[-1].any(), "the least value touches the bottom"
    for x, y in points:
        column = min(59, int((x - view.x0) / (view.x1 - view.x0) * 60))
        row = int(raster.rows_of(np.array([y]), view, 40)[0])
        around = mask[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        assert around.any(), (x, y)


@given(st.lists(FINITE, min_size=2, max_size=100))
def test_a_line_has_no_hole(values: list[float]) -> None:
    _, mask = drawn(raster.prepare(range(len(values)), values))
    columns = mask.any(axis=0)
    assert columns.all()
    for left, right in zip(mask.T, mask.T[1:], strict=False):
        a, b = np.flatnonzero(left), np.flatnonzero(right)
        assert a.min() <= b.max() + 1
        assert b.min() <= a.max() + 1


def test_a_gap_stays_a_gap() -> None:
    _, mask = drawn(raster.prepare([0, 10, 20, 30, 40], [0.0, 1.0, math.nan, 1.0, 0.0]))
    assert not mask[:, 18:42].any()
    assert mask[:, :15].any()
    assert mask[:, 46:].any()


def test_unsorted_points_are_sorted() -> None:
    a = raster.prepare([3, 1, 2], [30.0, 10.0, 20.0])
    assert a.x.tolist() == [1, 2, 3]
    assert a.y.tolist() == [10, 20, 30]


def test_one_spike_among_a_million_points_is_seen() -> None:
    values = np.zeros(1_000_000)
    values[654_321] = 1.0
    _, mask = drawn(raster.prepare(np.arange(1_000_000), values))
    assert np.flatnonzero(mask[0]).tolist() == [39]


def test_what_is_not_positive_is_a_gap_on_a_log_axis() -> None:
    line = raster.prepare([0, 1, 2, 3], [100.0, 0.0, -5.0, 0.01], log=True)
    assert line.y.tolist() == [2.0, -2.0]
    assert line.joined.tolist() == [False, False]


def test_a_smooth_curve_stays_inside_the_envelope() -> None:
    noise = np.random.default_rng(1).normal(size=10_000)
    line = raster.prepare(np.arange(10_000), noise)
    mean = smoothing.ema(line, 500.0).y
    assert np.abs(mean[500:]).max() < 0.5


def test_braille_is_packed_as_terminals_expect() -> None:
    mask = np.zeros((4, 2), dtype=bool)
    mask[0, 0] = mask[3, 1] = True
    assert raster.texts(raster.pack(mask)) == ["⢁"]
    assert raster.texts(raster.pack(np.zeros((4, 4), dtype=bool))) == ["  "]
