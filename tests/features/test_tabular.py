"""Cells become rows and rows become cells again; what is fitted is checked, and applied as it was fitted."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtui_features import apply, check, tabular

GOOD = {
    "kind": "tabular",
    "columns": [
        {"name": "age", "kind": "number", "fill": 4.0, "mean": 3.0, "std": 2.0, "edges": [1.0, 3.0, 9.0]},
        {"name": "town", "kind": "category", "vocabulary": ["Rome", "Oslo"]},
        {"name": "day", "kind": "number", "fill": 0.0, "mean": 0.0, "std": 1.0, "edges": [0.0],
         "unit": tabular.DATE_UNIT, "format": "%d.%m.%Y"},
    ],
    "target": {"kind": "classes"},
}  # fmt: skip


def record(**cells):
    return {"age": [1], "town": ["Rome"], "day": [None], **cells}


def test_cells_become_numbers_and_codes():
    rows = tabular.encode(
        GOOD,
        {
            "age": ["1.5", None, " 7 ", "NA", 2],
            "town": ["Oslo", "Rome", "Lima", None, " Oslo "],
            "day": ["02.01.1970", "1970-01-03", None, "?", 5.0],
            "more": [1, 2, 3, 4, 5],
        },
    )
    assert rows.dtype == np.float32
    nan = math.nan
    wanted = [[1.5, 2, 1], [nan, 1, 2], [7, 0, nan], [nan, 0, nan], [2, 2, 5]]
    np.testing.assert_array_equal(rows, np.array(wanted, dtype=np.float32))


def test_the_missing_are_filled_and_numbers_standardised_and_codes_stay():
    raw = np.array([[math.nan, 0, 3], [7, 2, math.nan]], dtype=np.float32)
    np.testing.assert_array_equal(apply(GOOD, raw), np.array([[0.5, 0, 3], [2, 2, 0]], dtype=np.float32))
    assert math.isnan(raw[0, 0]), "the rows given are left as they were"


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"age": [1], "day": [1]}, "there is no column 'town'"),
        (record(age=[1, 2]), "differ in length"),
        (record(age=["many"]), "column 'age': 'many' is not a number"),
        (record(age=[[1]]), "column 'age': a list is no cell"),
        (record(age=[[1, 2], [3]]), "differ in length"),
        (record(town=[{}]), "column 'town': a dict is no cell"),
        (record(day=["soon"]), "column 'day': 'soon' is not a date"),
    ],
)
def test_cells_that_cannot_be_are_named(columns, why):
    with pytest.raises(ValueError, match=why):
        tabular.encode(GOOD, columns)


@pytest.mark.parametrize("cell", [1e300, -math.inf, "inf", "1e39", True])
def test_numbers_that_no_float32_holds_are_missing(cell):
    value = tabular.encode(GOOD, record(age=[cell]))[0, 0]
    assert value == 1 if cell is True else math.isnan(value)


def test_numbers_and_booleans_find_their_words():
    features = copy.deepcopy(GOOD)
    features["columns"][1]["vocabulary"] = ["1", "True", "2.0", "0"]
    cells = [1, 1.0, True, "True", 2.0, False, np.int64(1), np.float64(0.0), np.bool_(True)]
    rows = tabular.encode(features, {"age": [0] * 9, "town": cells, "day": [0] * 9})
    assert rows[:, 1].tolist() == [1, 1, 2, 2, 3, 0, 1, 4, 2]


def test_labels_are_numbered_and_an_unseen_one_is_named():
    assert tabular.labels(("no", "yes"), ["yes", " no ", "yes"]).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match=r"row 2 has the label 'maybe'"):
        tabular.labels(("no", "yes"), ["yes", "maybe"])
    with pytest.raises(ValueError, match="row 1 has the label None"):
        tabular.labels(("no", "yes"), [None])


@pytest.mark.parametrize(
    ("place", "key", "value", "why"),
    [
        (0, "std", 0.0, "std above 0"),
        (0, "std", math.nan, "needs a number as std"),
        (0, "fill", None, "needs a number as fill"),
        (0, "mean", "3", "needs a number as mean"),
        (0, "edges", [], "1 to 32 edges"),
        (0, "edges", list(range(33)), "1 to 32 edges"),
        (0, "edges", [1.0, 1.0], "edges that ascend"),
        (0, "edges", [1.0, math.inf], "1 to 32 edges"),
        (0, "kind", "word", "neither a number nor a category"),
        (0, "name", None, "a name of each column"),
        (0, "name", "town", "a column twice"),
        (1, "vocabulary", [], "needs a vocabulary"),
        (1, "vocabulary", ["a", 1], "needs a vocabulary"),
        (1, "vocabulary", ["a", "a"], "a word twice"),
    ],
)
def test_columns_that_make_no_sense_are_refused(place, key, value, why):
    features = copy.deepcopy(GOOD)
    features["columns"][place][key] = value
    with pytest.raises(ValueError, match=why):
        check(features)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("columns", [], "a list of columns"),
        ("columns", None, "a list of columns"),
        ("columns", ["age"], "a name of each column"),
        ("target", None, "a target of"),
        ("target", {"kind": "word"}, "a target of"),
        ("target", {"kind": "number", "mean": 1.0}, "needs a mean and a std"),
        ("target", {"kind": "number", "mean": 1.0, "std": 0.0}, "needs a mean and a std"),
    ],
)
def test_features_that_make_no_sense_are_refused(key, value, why):
    with pytest.raises(ValueError, match=why):
        check({**GOOD, key: value})


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (np.zeros((2, 2)), "rows of shape"),
        (np.zeros(3), "rows of shape"),
        (np.array([[0, 3, 0]]), "not in its vocabulary"),
        (np.array([[0, -1, 0]]), "not in its vocabulary"),
        (np.array([[0, 0.5, 0]]), "not in its vocabulary"),
        (np.array([[0, math.nan, 0]]), "not in its vocabulary"),
    ],
)
def test_rows_that_were_not_encoded_by_it_are_refused(rows, why):
    for use in (apply, tabular.decode):
        with pytest.raises(ValueError, match=why):
            use(GOOD, rows)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=6).filter(
    lambda word: not tabular.is_missing(word)
)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def fitted(draw):
    columns = []
    for place in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            vocabulary = draw(st.lists(WORDS, min_size=1, max_size=6, unique=True))
            columns.append({"name": f"c{place}", "kind": "category", "vocabulary": vocabulary})
        else:
            edges = sorted(draw(st.sets(st.floats(-1e6, 1e6), min_size=1, max_size=32)))
            number = {"fill": 1.0, "mean": draw(st.floats(-1e3, 1e3)), "std": draw(st.floats(0.1, 1e3))}
            columns.append({"name": f"c{place}", "kind": "number", "edges": edges, **number})
    return {"kind": "tabular", "columns": columns, "target": {"kind": "classes"}}


@st.composite
def features_and_rows(draw):
    features = draw(fitted())
    count = draw(st.integers(0, 6))
    columns = []
    for column in features["columns"]:
        values = (
            st.one_of(NUMBERS, st.just(math.nan))
            if column["kind"] == "number"
            else st.integers(0, len(column["vocabulary"]))
        )
        columns.append(draw(st.lists(values, min_size=count, max_size=count)))
    rows = np.array(columns, dtype=np.float32).reshape(len(columns), count).T
    return features, rows


LOADED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A draw of a few milliseconds takes seconds where others have the processor."""


@LOADED
@given(features_and_rows())
def test_decoding_and_encoding_gives_the_same_rows(pair):
    features, rows = pair
    check(features)
    np.testing.assert_array_equal(tabular.encode(features, tabular.decode(features, rows)), rows)


@LOADED
@given(features_and_rows())
def test_text_is_read_as_the_number_it_is(pair):
    features, rows = pair
    cells = tabular.decode(features, rows)
    text = {name: [None if cell is None else str(cell) for cell in part] for name, part in cells.items()}
    np.testing.assert_array_equal(tabular.encode(features, text), rows)


@LOADED
@given(features_and_rows())
def test_applied_rows_hold_no_missing_value_and_undo(pair):
    features, rows = pair
    done = apply(features, rows)
    assert not np.isnan(done).any()
    for place, column in enumerate(features["columns"]):
        if column["kind"] == "category":
            np.testing.assert_array_equal(done[:, place], rows[:, place])
        else:
            there = ~np.isnan(rows[:, place])
            back = done[there, place].astype(np.float64) * column["std"] + column["mean"]
            np.testing.assert_allclose(
                back, rows[there, place], rtol=1e-4, atol=abs(column["mean"]) * 1e-4 + 1e-3
            )


@given(st.integers(-30_000, 60_000))
def test_a_day_is_written_and_read(day):
    assert tabular.days(tabular.date_text(float(day))) == day
