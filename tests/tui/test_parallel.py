"""Parallel coordinates: where values stand, what is drawn, what a range keeps; the tab of a comparison."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import seed_compare
from tests.tui.desk import check, desktop, screen, settle, wait_until

from cloudtui.areas.compare import chosen
from cloudtui.areas.compare.chosen import Chosen
from cloudtui.areas.compare.compared import read
from cloudtui.areas.compare.parallel_axes import axes_of
from cloudtui.widgets.parallel import Axis, Spec, draw, nearest, number_axis, scrolled, seen, word_axis
from cloudtui.widgets.parallel_plot import ParallelPlot

LR = number_axis("lr", [0.0001, 0.01, 1.0, None])
OPTIMIZER = word_axis("optimizer", ["adam", "sgd", "lion", "adam"], ["adam", "lion", "sgd"])
ACCURACY = number_axis("accuracy", [0.9, 0.95, 0.8, 0.85])
SPEC = Spec((LR, OPTIMIZER, ACCURACY), focus=1, cursor=2)


def text(spec: Spec, width: int = 80, height: int = 20) -> list[str]:
    return ["".join(part for part, _ in row) for row in draw(spec, width, height).rows]


def test_numbers_are_placed_by_their_size_or_their_magnitude() -> None:
    assert LR.title == "lr log"
    assert LR.places == pytest.approx((0.0, 0.5, 1.0, None))
    assert ACCURACY.places == pytest.approx((2 / 3, 1.0, 0.0, 1 / 3))
    assert number_axis("same", [5.0, 5.0]).places == (0.5, 0.5)
    assert number_axis("hundred", [1.0, 100.0]).title == "hundred"
    assert number_axis("odd", [math.nan, None, math.inf]).stops() == []


def test_words_stand_at_even_distances() -> None:
    assert OPTIMIZER.places == (0.0, 1.0, 0.5, 0.0)
    assert [word for _, word in OPTIMIZER.marks][:2] == ["adam", "sgd"]  # the ends are written first


def test_a_frame_shows_titles_numbers_and_the_run_in_focus() -> None:
    rows = text(SPEC)
    assert len(rows) == 20
    assert {len(row) for row in rows} == {80}
    assert all(title in rows[0] for title in ("lr log", "optimizer", "accuracy"))
    assert all(f"● {value}" in rows[1] for value in ("0.01", "sgd", "0.95"))
    assert "0.95" in rows[2]  # the top of the last axis, and of the words
    assert "sgd" in rows[2]
    assert "adam" in rows[-1]
    assert sum(row.count("●") for row in rows[2:]) == 3  # where it crosses each axis


def test_a_range_takes_lines_away_and_is_seen_without_colour() -> None:
    kept = replace(SPEC, brushes={1: (0.0, 0.0)})
    assert kept.kept() == [0, 3]
    assert replace(SPEC, brushes={0: (0.0, 1.0)}).kept() == [0, 1, 2]  # a run without a value is in no range
    plot = text(kept)[2:]
    assert "┃" in plot[-1]
    assert "╎" in plot[0]
    assert not any("●" in row for row in plot)  # the run in focus is not among them

    def inked(rows: list[str]) -> int:
        return sum(0x2800 < ord(cell) < 0x2900 for row in rows for cell in row)

    assert 0 < inked(plot) < inked(text(SPEC)[2:])


def test_axes_that_do_not_fit_are_scrolled_and_the_outcome_stays() -> None:
    assert seen(4, 0, 80) == [0, 1, 2, 3]
    assert seen(12, 0, 80) == [0, 1, 2, 3, 4, 11]
    assert seen(12, 9, 80) == [6, 7, 8, 9, 10, 11]
    first = 0
    for cursor in [*range(12), *reversed(range(12))]:
        first = scrolled(12, first, cursor, 80)
        assert cursor in seen(12, first, 80)
    many = tuple(replace(OPTIMIZER, title=f"setting-{at}") for at in range(11))
    rows = text(Spec((*many, ACCURACY)))
    assert "setting-4" in rows[0]
    assert "… accuracy" in rows[0]


def test_a_click_finds_the_closest_line() -> None:
    frame = draw(SPEC, 80, 20)
    (_, left), (_, middle), _ = frame.columns
    assert frame.axis_at(middle + 1) == 1
    assert frame.axis_at((left + middle) // 2) is None
    assert nearest(SPEC, frame, left + 2, 19) == 0  # the smallest rate, at the foot
    assert nearest(SPEC, frame, left + 2, 2) == 2
    assert nearest(SPEC, frame, 79, 5) is None


VALUES = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5)


@given(VALUES, st.integers(0, 120), st.integers(0, 30))
def test_whatever_runs_reached_a_frame_is_as_large_as_asked(
    values: list[float | None], w: int, h: int
) -> None:
    axis = number_axis("x", values)
    assert all(place is None or 0 <= place <= 1 for place in axis.places)
    words = word_axis("w", ["a"] * len(values), ["a"])
    spec = Spec((words, axis, Axis("empty", (None,) * len(values), ("–",) * len(values), ())), focus=0)
    rows = text(spec, w, h)
    assert [len(row) for row in rows] == [w] * h


@pytest.fixture
def compared(tmp_path: Path) -> Path:
    """A home in which all runs are compared."""
    catalog, runs = seed_compare.home(tmp_path / "home")
    with closing(catalog):
        chosen.save(catalog, Chosen(tuple(run.id for run in runs)))
        found = read(catalog, chosen.load(catalog))
        titles = [axis.title for axis in axes_of(found)]
        assert titles[-2:] == ["seed", "validation/accuracy"]  # seeds behind what was meant to differ
        assert "lr" in titles or "lr log" in titles
    return tmp_path / "home"


async def test_on_the_desktop(compared: Path) -> None:
    """Keys go to axes and runs, the list goes along; ranges by key and by dragging."""
    async with desktop(compared, (120, 40), first="compare") as (app, pilot):
        area = app.area
        assert area is not None
        area.detail.open_tab("Parallel")  # type: ignore[attr-defined]
        await settle(pilot)
        check("compare-parallel-120x40", screen(app))
        plot = app.query_one(ParallelPlot)
        plot.focus()
        before = area.pane.table.cursor_key
        await pilot.press("down")  # the cursor is on the best: the outcome is the axis to begin with
        await wait_until(pilot, lambda: area.pane.table.cursor_key != before)
        runs = len(area.listing.records)
        await pilot.press("shift+up")
        await wait_until(pilot, lambda: f"{runs - 1} of {runs} runs" in screen(app))
        await pilot.press("0")
        await wait_until(pilot, lambda: f"of {runs} runs" not in screen(app))
        axis, column = plot.frame.columns[0]
        await pilot.mouse_down(plot, offset=(column, 2))
        await pilot.hover(plot, offset=(column, 4))
        await pilot.mouse_up(plot, offset=(column, 4))
        await wait_until(pilot, lambda: f"of {runs} runs" in screen(app))
        assert list(plot.spec.brushes) == [axis]
        await pilot.click(plot, offset=(column, 6))
        await wait_until(pilot, lambda: not plot.spec.brushes)
