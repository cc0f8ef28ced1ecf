"""Words for records."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui import format as words
from cloudtui_engine.records.instance import LinkState
from cloudtui_engine.records.operation import OperationState
from cloudtui_engine.records.run import Run, RunState


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (3.9, "3s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (7200, "2h"),
        (5 * 86400, "5d"),
        (-4, "0s"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_ages(seconds: float | None, text: str) -> None:
    assert words.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(9, "0m 09s"), (723, "12m 03s"), (7500, "2h 05m"), (90000, "1d 01h"), (None, "–")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.91337, "0.9134"),
        (12.345, "12.35"),
        (999.96, "1,000"),
        (54321.6, "54,322"),
        (1.2345e-5, "1.234e-05"),
        (0.0, "0"),
        (math.nan, "NaN"),
        (-math.inf, "-∞"),
        (None, "–"),
        (-3.5, "-3.500"),
    ],
)
def test_numbers_have_four_digits(value: float | None, text: str) -> None:
    assert words.number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_number_reads_back_within_its_digits(value: float) -> None:
    read = float(words.number(value).replace(",", ""))
    assert math.isclose(read, value, rel_tol=6e-4, abs_tol=1e-300)


def test_money_is_never_a_rounded_nothing() -> None:
    assert [words.money(x) for x in (0, 0.001, 1234.5, None)] == ["0.00", "<0.01", "1,234.50", "–"]


def test_sizes() -> None:
    said = [words.size(x) for x in (0, 999, 1000, 1_240_000, 41e9, 999_999, None)]
    assert said == ["0 B", "999 B", "1.00 kB", "1.24 MB", "41.0 GB", "1.00 MB", "–"]


def test_every_state_has_a_glyph_and_a_word() -> None:
    for states, marks in (
        (RunState, words.RUN_MARKS),
        (LinkState, words.LINK_MARKS),
        (OperationState, words.OPERATION_MARKS),
    ):
        assert set(marks) == set(states)
        assert all(mark.glyph and mark.word for mark in marks.values())


def test_a_live_run_that_nobody_confirms_says_so() -> None:
    run = Run(
        "id", "name", "train", RunState.RUNNING, 1, (), stale_since=100.0, progress={"epoch": 3, "epochs": 12}
    )
    assert words.run_state(run, 340.0) == "● running, stale 4m"
    assert words.run_progress(run) == "3/12"
    assert words.run_share(run) == 0.25


def test_sparklines_have_gaps_and_never_fail() -> None:
    assert words.spark([0.0, math.nan, 1.0]) == "▁ ▇"
    assert words.spark([]) == "–"
    assert words.spark([2.0, 2.0]) == "▁▁"


def test_times_for_scripts() -> None:
    assert words.rfc3339(0.5) == "1970-01-01T00:00:00.500Z"
    assert words.rfc3339(None) is None


@pytest.mark.parametrize("t", [1e300, -1e300, math.inf, math.nan, -1.0, 4102444801.0])
def test_what_is_no_time_is_shown_as_missing(t: float) -> None:
    assert words.rfc3339(t) is None
    assert words.moment(t) == "–"
    assert len(words.since(t, 1.7e9)) < 10
    assert len(words.duration(t)) < 20


def test_host_text_is_cleaned() -> None:
    assert "\x1b" not in words.gpus([{"name": "A100\x1b[31m"}, {"name": "A100\x1b[31m"}])
    assert words.gpus([{"name": "A"}, {"name": "A"}]) == "A x2"
    assert "\x1b" not in words.setting("x\x1b]0;title\x07")
