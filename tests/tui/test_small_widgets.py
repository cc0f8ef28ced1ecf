"""Ticks, sparklines, gauges, table layout: pure pieces of the screen."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui.sparkline import sparkline
from cloudtui.widgets.columns import Column, Row, layout
from cloudtui.widgets.gauge import gauge
from cloudtui.widgets.row_painter import Look, header_runs, row_runs
from cloudtui.widgets.ticks import axis_label, log_ticks, short, ticks


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 10, 5, [0, 2.5, 5, 7.5, 10]),
        (0, 5460, 4, [0, 2000, 4000]),
        (0.1, 0.91, 4, [0.2, 0.4, 0.6, 0.8]),
        (-1, 1, 3, [-1, 0, 1]),
        (5, 5, 3, []),
        (0, math.inf, 3, []),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(expected)


@given(st.floats(-1e300, 1e300), st.floats(1e-300, 1e300), st.integers(1, 20))
def test_there_are_never_more_ticks_than_asked_for(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    assert len(found) <= most
    assert all(math.isfinite(tick) for tick in found)


def test_powers_of_ten() -> None:
    assert log_ticks(-3.2, 1.1, 5) == [-3, -2, -1, 0, 1]
    assert log_ticks(-8, 8, 4) == [-8, -3, 2, 7]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.241, "0.2410"), (2.4101, "2.410"), (5460, "5460"), (54_600, "54.6k"), (1e-9, "1.0e-09"),
     (math.nan, "–"), (-math.inf, "-∞"), (1_234_567, "1.23M")],
)  # fmt: skip
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(2000, 1000, "2k"), (2500, 500, "2.5k"), (0.2, 0.2, "0.2"), (1e-5, 1e-5, "1e-5")],
)
def test_axis_labels(value: float, step: float, text: str) -> None:
    assert axis_label(value, step) == text


@given(st.lists(st.floats(), max_size=40), st.integers(1, 20))
def test_a_sparkline_is_never_wider_than_asked_for(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) <= width


def test_sparkline_shows_the_course() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([3, 3, 3], 8) == "▄▄▄"
    assert sparkline([1, math.nan, 2], 8) == "▁ █"
    assert sparkline([math.nan], 8) == ""
    assert sparkline([1.7e308, -1.7e308], 8) == "█▁"


def test_gauge_shows_something_for_little_and_nothing_for_the_unknown() -> None:
    assert gauge(0.001) == ("▇", "▁" * 9)
    assert gauge(7.0) == ("▇" * 10, "")
    assert gauge(None) == gauge(math.nan) == ("", "▁" * 10)


COLUMNS = (
    Column("Name", 10, share=1),
    Column("State", 8),
    Column("On", 6, rank=2),
    Column("Cost", 6, rank=1),
)


def test_columns_go_by_rank_when_there_is_no_room() -> None:
    assert [i for i, _ in layout(COLUMNS, 60)] == [0, 1, 2, 3]
    assert [i for i, _ in layout(COLUMNS, 36)] == [0, 1, 3]
    assert [i for i, _ in layout(COLUMNS, 26)] == [0, 1]


@given(st.integers(4, 200))
def test_columns_fill_the_width_and_never_more(width: int) -> None:
    found = layout(COLUMNS, width)
    used = 2 + sum(size + 2 for _, size in found) - 2
    assert used <= max(width, 14)
    assert all(size >= 1 for _, size in found)


def test_the_header_says_what_is_sorted_by_and_which_way_round() -> None:
    columns = (Column("Name", 6, sort="name"), Column("Cost", 6, "right", sort="cost"))
    places = layout(columns, 16)
    assert header_runs(columns, places, "-cost") == [
        ("  ", "muted"),
        ("Name    ", "muted"),
        (" Cost↓  ", "accent"),
    ]
    assert header_runs(columns, places, "name")[1] == ("Name↑   ", "accent")


def test_a_row_says_where_the_cursor_is_and_what_is_marked() -> None:
    columns = (Column("Name", 6), Column("State", 4))
    row = Row("1", (("a-long-name", ""), ("ok", "good")))
    places = layout(columns, 14)
    assert row_runs(row, columns, places, Look(here=False, focused=False, marked=True)) == [
        (" ", ""), ("*", "accent"), ("a-lon…", ""), ("  ", ""), ("ok  ", "good"), ("  ", ""),
    ]  # fmt: skip
    under = row_runs(row, columns, places, Look(here=True, focused=True, marked=False))
    assert under[:3] == [("▌", "accent"), (" ", "accent"), ("a-lon…", "bold")]
    assert under[4] == ("ok  ", "good")
    assert row_runs(row, columns, places, Look(here=True, focused=False, marked=False))[0] == ("▌", "faint")
