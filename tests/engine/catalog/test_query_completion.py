"""What may stand next in a filter: shown by examples, and never in the way of what is read."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudtui_engine.catalog.completion import Vocabulary, accept, complete
from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.catalog.query_terms import FIELDS
from cloudtui_engine.catalog.query_tokens import quoted
from cloudtui_engine.errors import FilterError

KNOWN = Vocabulary(
    params={"lr": ("0.003", "0.1"), "optimizer.name": ("Adam", "SGD"), "my key": ("a b",), "in": ("1",)},
    metrics=("train/loss", "validation/accuracy", "x.best", "of a:b"),
    values={
        "tag": ("baseline", "big model", 'say "hi"'),
        "dataset": ("digits",),
        "on": ("box-1", "local"),
        "gpu": ("A100 80GB",),
    },
)


def texts(text: str) -> list[str]:
    start, found = complete(text, len(text), KNOWN)
    return [text[:start] + one.text for one in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sta", ["status:", "started "]),
        ("status:", ["status:live ", "status:finished ", "status:queued "]),
        ("status:fa", ["status:failed "]),
        ("status = fa", ["status = failed "]),
        ("not status:fa", ["not status:failed "]),
        ("(tag:b", ["(tag:baseline ", '(tag:"big model" ']),
        ('tag:"big', ['tag:"big model" ']),
        ("tag:say", ['tag:"say \\"hi\\"" ']),
        ("tag in (", ["tag in (baseline ", 'tag in ("big model" ']),
        ("tag in (baseline", []),
        ("tag in (baseline ", ["tag in (baseline ,", "tag in (baseline )"]),
        ("tag in", ["tag in "]),
        ("tag in ", ["tag in ("]),
        ("on in (box-1, lo", ["on in (box-1, local "]),
        ("pa", ["param.lr ", "param.optimizer.name ", 'param."my key" ']),
        ("lr", ["param.lr "]),
        ("param.lr ", ["param.lr < ", "param.lr <= "]),
        ("param.lr <", ["param.lr <0.003 "]),
        ("param.lr < ", ["param.lr < 0.003 ", "param.lr < 0.1 "]),
        ("param.optimizer.name ~ ", ["param.optimizer.name ~ Adam "]),
        ("acc", ["metric.validation/accuracy "]),
        ("metric.x", ['metric."x.best" ']),
        ("metric.train/loss.m", ["metric.train/loss.min ", "metric.train/loss.max "]),
        ("metric.train/loss", ["metric.train/loss ", "metric.train/loss.last "]),
        ("duration", ["duration "]),
        ("duration ", ["duration < "]),
        ("status:failed ", ["status:failed and ", "status:failed or ", "status:failed status:"]),
        ("(status:failed ", ["(status:failed and ", "(status:failed or ", "(status:failed )"]),
        ("vit ", ["vit and "]),
        ("so", ["sort:"]),
        ("sort:", ["sort:-", "sort:created "]),
        ("tag:a sort:-val", ["tag:a sort:-validation/accuracy "]),
        ("sort:-metric.x", ['sort:-metric."x.best" ']),
        ("sort = par", ["sort = param.lr "]),
        ("(so", []),
        ("(sort:", []),
        ("tag:a sort:cost so", []),
        ("gpu:a", ['gpu:"A100 80GB" ']),
        ("nonsense:", []),
        ("name ! ", []),
    ],
)
def test_what_is_offered(text: str, wanted: list[str]) -> None:
    assert texts(text)[: len(wanted) or 1] == wanted


def test_every_field_is_offered_and_says_what_it_is() -> None:
    _, found = complete("", 0, KNOWN)
    assert {one.text.rstrip(": ") for one in found} >= set(FIELDS)
    assert all(one.note for one in found)


def test_the_rest_of_the_word_under_the_cursor_goes() -> None:
    text = "tag:bas and x"
    start, found = complete(text, 5, KNOWN)
    assert accept(text, 5, start, found[0].text) == ("tag:baseline and x", 13)
    assert accept("a  b", 2, 2, "and ") == ("a and b", 6)


def reach(text: str) -> int | None:
    """How far a filter can be read; None: to its end."""
    try:
        compile_filter(text)
    except FilterError as error:
        return error.at
    return None


_PARTS = st.sampled_from(
    ("status", "tag", "on", "sort", "sort:-", "train/loss", "param.lr", 'param."my key"', "metric.train/loss",
     "duration", "created", "none", " ", " ", " ", ":", "=", "<", "<=", "~", "!", "(", ")", ",", "and", "or ",
     "not ", "in ", "failed", "0.1", '"big', '"big model"', "'", "b", "lr", "acc", "1..5", "vit", "\\",
     "metric.x")
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(_PARTS, max_size=9).map("".join))
@example('tag:"big')
@example("tag in (baseline ")
@example("metric.train/loss in ")
@example("status<")
def test_with_a_candidate_in_place_it_is_read_at_least_as_far(text: str) -> None:
    start, found = complete(text, len(text), KNOWN)
    assert 0 <= start <= len(text)
    before = reach(text)
    for one in found:
        made, cursor = accept(text, len(text), start, one.text)
        assert made == text[:start] + one.text
        assert cursor == len(made)
        after = reach(made)
        if after is None or after >= len(made.rstrip()):
            continue  # all of it, or all that is there so far
        # It was wrong before the word already, and is so no sooner.
        assert before is not None, made
        assert before < start, made
        assert after >= before, made


@given(st.text(alphabet="abc:()<>=~!\"'., \\@%in", max_size=20), st.integers(0, 20))
def test_any_text_and_place_is_answered(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    start, found = complete(text, cursor, KNOWN)
    for one in found:
        made, after = accept(text, cursor, start, one.text)
        assert made[:after].endswith(one.text)
        assert made.startswith(text[:start])


@given(st.text(max_size=12))
def test_what_is_quoted_is_one_value(text: str) -> None:
    _, values, *_ = compile_filter(f"name = {quoted(text)}")
    assert values == [text]


def test_an_error_shows_its_place() -> None:
    with pytest.raises(FilterError) as raised:
        compile_filter("name:宽 and speed > 5")
    assert raised.value.picture == "  name:宽 and speed > 5\n" + " " * 14 + "^"
    assert raised.value.details == {"filter": "name:宽 and speed > 5", "position": 12}
    with pytest.raises(FilterError) as raised:
        compile_filter("x " * 150 + "speed > 5")
    text, caret = raised.value.picture.split("\n")
    assert len(text) <= 74
    assert text[caret.index("^") :].startswith("speed")
