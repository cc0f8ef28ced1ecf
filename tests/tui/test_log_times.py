"""The log and the run's cursor: a place in the log is a moment, and a moment is a place in the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tui.desk import check, desktop, screen, settle, wait_until

from cloudtui.areas.runs.detail import RunDetail
from cloudtui.areas.runs.log import LogTab
from cloudtui.areas.runs.log_times import LogTimes
from cloudtui.widgets.log_window import LogWindow

MARKS = st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1e9)), min_size=1, max_size=30)


def test_a_moment_is_a_place_and_back() -> None:
    times = LogTimes.of([10, 30, 60], [100.0, 110.0, 111.0])
    assert times is not None
    assert [times.size_at(t) for t in (99.9, 100, 105, 110, 200)] == [0, 10, 10, 30, 60]
    assert [times.moment_of(end) for end in (1, 10, 11, 30, 60)] == [100, 100, 110, 110, 111]
    assert times.moment_of(80) == 111, "what no mark covers yet was printed last"
    assert times.span == (100, 111)
    assert LogTimes.of([], []) is None


@given(MARKS, st.integers(1, 1200))
def test_what_was_printed_by_its_own_moment_holds_it(marks: list[tuple[int, float]], end: int) -> None:
    """Whatever a host says: marks that fall, clocks that are set back."""
    times = LogTimes.of(*zip(*marks, strict=True))
    assert times is not None
    assert times.size_at(times.moment_of(end)) >= min(end, times.sizes[-1])


@pytest.fixture
def window(tmp_path: Path) -> LogWindow:
    """Ten lines of ten bytes, four of which are seen."""
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {index:03}\n" for index in range(10)).replace("line ", "line  "))
    made = LogWindow(path)
    made.width, made.height = 20, 4
    made.grown()
    return made


def seen(window: LogWindow) -> list[int]:
    return [line.start // 10 for _, line in window.rows()]


def test_it_stands_at_what_had_been_printed(window: LogWindow) -> None:
    assert (seen(window), window.following) == ([6, 7, 8, 9], True)
    window.show_until(55)
    assert seen(window) == [2, 3, 4, 5], "a line that was half printed is there"
    window.show_until(20)
    assert seen(window) == [0, 1, 2, 3]
    assert [window.is_reached(line) for _, line in window.rows()] == [True, True, False, False]
    window.show_until(20, hides=True)
    assert seen(window) == [0, 1]
    window.show_until(0, hides=True)
    assert seen(window) == []
    window.show_until(None)
    assert (seen(window), window.following) == ([6, 7, 8, 9], True)


def test_without_the_cursor_it_stands_where_it_stood(window: LogWindow) -> None:
    window.lines(-3)
    assert seen(window) == [3, 4, 5, 6]
    window.show_until(20)
    window.show_until(None)
    assert (seen(window), window.following) == ([0, 1, 2, 3], False)


def test_moving_reaches_every_line(window: LogWindow) -> None:
    """Up from the end to the first line, and down again: each line is the cursor's once."""
    reached, back = [], []
    while (end := window.step(-1) or window.lines(-1)) != 10:
        assert end is not None
        window.until = end
        reached.append(end)
    window.until = end
    assert reached == [*range(90, 10, -10)]
    while (end := window.step(1) or window.lines(1)) is not None and end < 100:
        window.until = end
        back.append(end)
    assert back == [*range(20, 100, 10)]


def test_wrapped_lines_end_with_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("a" * 25 + "\n" + "b" * 25 + "\n" + "c" * 25 + "\n")
    window = LogWindow(path)
    window.width, window.height, window.wrap = 10, 4, True
    window.show_until(52)
    assert [text[0] for text, _ in window.rows()] == ["a", "b", "b", "b"]


async def test_one_cursor_through_charts_and_log(story: Path) -> None:
    """The log follows the charts, and the charts the log."""
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.press("down", "enter", "right_square_bracket")
        detail = app.query_one(RunDetail)
        await wait_until(pilot, lambda: isinstance(detail.current, LogTab) and detail.current.times)
        tab = detail.current
        assert isinstance(tab, LogTab)
        assert tab.times is not None
        begin, end = tab.times.span
        await wait_until(pilot, lambda: "step  7980" in screen(app))
        await pilot.press("up")
        await wait_until(pilot, lambda: detail.moment is not None and begin < detail.moment <= end)
        assert "◂" in screen(app)
        assert " at " in tab.foot.right
        await pilot.press("left_square_bracket")
        await settle(pilot)
        charts = detail.current
        assert charts is not tab
        middle = (begin + end) / 2
        detail.post_message(tab.Moved(charts, middle, pinned=True))  # type: ignore[arg-type]
        await wait_until(pilot, lambda: detail.moment == middle)
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert "step  3940" in screen(app)
        assert "step  3960" not in screen(app)
        check("log-cursor-80x24", screen(app))
        await pilot.press("space")
        assert detail.replay is not None
        await wait_until(pilot, lambda: detail.replay is not None and detail.replay.at > middle)
        await pilot.press("space", "end")
        await wait_until(pilot, lambda: detail.replay is None and detail.moment is None)
        assert "step  7980" in screen(app)
