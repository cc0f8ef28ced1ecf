"""Logs of any size and any content."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tui.desk import wait_until
from textual.app import App, ComposeResult

from cloudtui.widgets import log_file
from cloudtui.widgets.log_file import BLOCK, LogFile, shown
from cloudtui.widgets.log_view import LogView

LINES = st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=40), max_size=60)


@given(LINES, st.booleans(), st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_forward_and_backward_see_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ended: bool, page: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    raw = "\n".join(lines) + ("\n" if ended and lines else "")
    path.write_bytes(raw.encode())
    file = LogFile(path)
    starts, offset = [], 0
    while found := file.forward(offset, page):
        starts += [line.start for line in found]
        assert [line.end for line in found[:-1]] == [line.start for line in found[1:]]
        offset = found[-1].end
    assert offset == file.size()
    back, offset = [], file.size()
    while offset > 0:
        offset = file.backward(offset, 1)
        back.append(offset)
    assert list(reversed(back)) == starts


def test_a_missing_file_is_empty(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "none")
    assert (file.size(), file.forward(0, 5), file.backward(0, 5)) == (0, [], 0)


def test_a_line_without_end_is_shown_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * (BLOCK * 3 + 5))
    assert [line.end - line.start for line in LogFile(path).forward(0, 10)] == [BLOCK] * 3 + [5]


def test_search_both_ways_over_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    lines = [f"line {index}" for index in range(200_000)]
    lines[150_000] = "Here is the Needle"
    path.write_text("\n".join(lines))
    file = LogFile(path)
    start = file.find("needle", 0)
    assert start is not None
    assert file.forward(start, 1)[0].text == "Here is the Needle"
    assert file.find("Needle", file.size(), backwards=True) == start
    assert file.find("needle", start + 20) is None
    assert file.find("NEEDLE", 0) is None, "capitals matter where there are some"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"10%\r 50%\r100% done\r\n", "100% done"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07plain", "red plain"),
        (b"[@click=app.quit]press[/]", "[@click=app.quit]press[/]"),
        (b"a\tb", "a   b"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("e\u202egnp.exe".encode(), "e\ufffdgnp.exe"),
    ],
)
def test_nothing_in_a_line_reaches_the_terminal(raw: bytes, text: str) -> None:
    assert shown(raw) == text


class LogApp(App[None]):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def compose(self) -> ComposeResult:
        yield LogView()

    def on_mount(self) -> None:
        view = self.query_one(LogView)
        view.styles.height = "1fr"
        view.open(self.path)
        view.focus()


def text_of(view: LogView) -> list[str]:
    return ["".join(text for text, _ in view.runs(y)).rstrip(" ▐") for y in range(view.size.height)]


async def test_follow_scroll_search_and_wrap(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {index}\n" for index in range(100)) + "w" * 50 + "\n")
    app = LogApp(path)
    from cloudtui import theme

    for one in theme.THEMES:
        app.register_theme(one)
    app.theme = theme.DEFAULT
    async with app.run_test(size=(30, 10)) as pilot:
        view = app.query_one(LogView)
        await wait_until(pilot, lambda: view.size.height == 10)
        assert text_of(view)[-2:] == ["line 99", "w" * 29]
        with path.open("a") as file:
            file.write("the last\n")
        view.grown()
        assert text_of(view)[-1] == "the last"
        await pilot.press("w")
        assert text_of(view)[-3:] == ["w" * 29, "w" * 21, "the last"]
        await pilot.press("home")
        assert text_of(view)[0] == "line 0"
        assert not view.following
        await pilot.press("down", "pagedown")
        assert text_of(view)[0] == "line 10"
        view.search("line 55")
        await wait_until(pilot, lambda: text_of(view)[0] == "line 55")
        view.search("line 7")
        await wait_until(pilot, lambda: text_of(view)[0] == "line 70")
        await pilot.press("n")
        await wait_until(pilot, lambda: text_of(view)[0] == "line 71")
        await pilot.press("N")
        await wait_until(pilot, lambda: text_of(view)[0] == "line 70")
        await pilot.press("end")
        assert view.following


@given(st.binary(max_size=300), st.sampled_from(["a", "aa", "Ab", "\n"]), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_matches_are_counted_over_blocks(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, needle: str, block: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    raw = raw.replace(b"\x00", b"a").replace(b"\x01", b"Ab")
    path.write_bytes(raw)
    text = raw if needle != needle.lower() else raw.lower()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "_SEARCH", block)
        assert LogFile(path).count(needle) == text.count(needle.encode())
        assert LogFile(path).count(needle, within=0) == 0
