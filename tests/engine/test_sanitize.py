from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.sanitize import clean, clean_line


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    for character in clean(text):
        assert character in "\n\t" or unicodedata.category(character) not in {
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Cn",
            "Zl",
            "Zp",
        }


@given(st.text())
def test_clean_text_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.text(max_size=300), st.integers(min_value=1, max_value=50))
def test_a_line_is_one_line_and_short(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()
    assert line == " ".join(line.split())


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_visible_characters_of_all_languages_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]0;title never ends\nnext", "\nnext"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2\x1b\\after", "after"),
        ("\x9b2Jx", "x"),
        ("a\r\nb\rc", "a\nb\ufffdc"),
        ("a\u202eb", "a\ufffdb"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b(Bx\x1bcx\x1b7", "xx"),
        ("\ud800", "\ufffd"),
        ("\x00\x07", "\ufffd\ufffd"),
    ],
)
def test_known_tricks(text: str, wanted: str) -> None:
    assert clean(text) == wanted


def test_a_long_line_is_cut_with_a_sign() -> None:
    assert clean_line("x" * 1000, 10) == "x" * 9 + "…"
    assert clean_line("  a \n b  ") == "a b"
