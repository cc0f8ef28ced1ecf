"""What is told of a table: leaks, duplicates, contradictions, missing and unseen cells."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.data.columns import CHANCE, NOISE, YES_NO, finding, shards, types

from cloudtui_engine.data import build_dataset
from cloudtui_engine.data.splits import TEST, UNSPLIT
from cloudtui_engine.data.table_build import build_table
from cloudtui_engine.data.tables import Column, Table
from cloudtui_engine.errors import BadInputError


def test_rows_without_a_target_are_dropped_and_counted(prepare):
    manifest = prepare({"a": NOISE.tolist(), "y": [None if n < 30 else YES_NO[n] for n in range(400)]})
    assert sum(manifest.splits.values()) == 370
    assert "30 of 400 rows have no y" in finding(manifest, "target_missing")[0]


def test_the_same_row_is_never_learned_from_and_tested_on(prepare, into):
    rows = np.concatenate([np.arange(400), np.arange(0, 400, 4)])
    manifest = prepare({"a": NOISE[rows].tolist(), "b": rows.tolist(), "y": [YES_NO[n] for n in rows]})
    assert (
        "100 rows are the same as an earlier row; those that are alike are kept"
        in finding(manifest, "duplicates")[0]
    )
    parts = [{row.tobytes() for row in shards(into, manifest, split)[0]} for split in manifest.splits]
    assert len(set.union(*parts)) == sum(len(part) for part in parts)


def test_an_identifier_does_not_hide_that_rows_are_the_same(prepare, into):
    rows = np.concatenate([np.arange(400), np.arange(0, 400, 4)])
    columns = {"row": list(range(500)), "secret": CHANCE.permutation(500).tolist(), "a": NOISE[rows].tolist()}
    manifest = prepare({**columns, "y": [YES_NO[n] for n in rows]}, leave_out=("secret",))
    assert "100 rows are the same as an earlier row; those that" in finding(manifest, "duplicates")[0]
    parts = [set(shards(into, manifest, split)[0][:, 0]) for split in manifest.splits]
    assert len(set.union(*parts)) == sum(len(part) for part in parts)


def test_rows_that_come_again_by_nature_are_divided_all_the_same(prepare):
    manifest = prepare(
        {
            "a": [n % 3 for n in range(400)],
            "b": [n % 2 for n in range(400)],
            "y": [YES_NO[n % 12] for n in range(400)],
        }
    )
    assert manifest.splits == {"train": 280, "validation": 40, "test": 80}
    assert "come again by nature" in finding(manifest, "duplicates_across_splits")[0]


def test_rows_that_contradict_each_other_are_told(prepare):
    rows = np.concatenate([np.arange(400), np.arange(5)])
    other = [{"yes": "no", "no": "yes"}[YES_NO[n]] for n in range(5)]
    manifest = prepare({"a": NOISE[rows].tolist(), "y": YES_NO + other})
    assert "10 rows agree in all inputs and differ" in finding(manifest, "contradicting")[0]


@pytest.mark.parametrize(
    ("leaking", "target"),
    [
        (lambda y: [{"yes": "A", "no": "B"}[one] for one in y], YES_NO),
        (lambda y: [(one == "yes") + NOISE[n] * 0.01 for n, one in enumerate(y)], YES_NO),
        (lambda y: [3 * one + 1 for one in y], NOISE.tolist()),
        (lambda y: [float(np.exp(one)) for one in y], NOISE.tolist()),
        (lambda y: [f"g{round(one * 4)}" for one in y], [float(n % 25 / 4) + n * 1e-6 for n in range(400)]),
    ],
)
def test_a_column_that_tells_the_target_alone_is_reported_and_kept(prepare, leaking, target):
    clue = np.abs(NOISE + np.array([1.0 if one in {"yes"} else 0.0 for one in target]))
    manifest = prepare({"clue": clue.tolist(), "leak": leaking(target), "y": target})
    assert [one["column"] for one in manifest.data["findings"] if one["code"] == "leaking"] == ["leak"]
    assert "leak" in types(manifest)
    assert "--leave-out" in finding(manifest, "leaking")[0]


def test_a_column_that_puts_rare_classes_in_order_is_reported(prepare):
    rare = ["yes" if value > np.quantile(NOISE, 0.99) else "no" for value in NOISE]
    manifest = prepare({"clue": CHANCE.normal(size=400).tolist(), "leak": NOISE.tolist(), "y": rare})
    assert "puts the two classes in order" in finding(manifest, "leaking")[0]


def test_words_that_hardly_come_again_are_not_called_leaking(prepare):
    words = [f"w{n % 340}" for n in range(400)]
    for target in (YES_NO, CHANCE.normal(size=400).tolist()):
        manifest = prepare({"a": NOISE.tolist(), "word": words, "y": target})
        assert types(manifest)["word"] == "category"
        assert not finding(manifest, "leaking")


def test_strong_but_honest_columns_are_not_called_leaking(into):
    for source in ("breast-cancer", "wine", "diabetes"):
        assert not finding(build_dataset(source, into, name="d"), "leaking")


def test_missing_and_unseen_cells_are_told(prepare, into):
    towns = ["only once" if n == 5 else (None if n % 4 == 0 else "Rome") for n in range(400)]
    told = []
    for seed in range(12):
        manifest = prepare({"a": NOISE.tolist(), "town": towns, "y": YES_NO}, seed=seed)
        told += finding(manifest, "unseen")
    assert "town is missing in 100 rows (25.0%)" in finding(manifest, "missing")[0]
    assert told
    assert set(told) == {"town: 1 validation and test rows hold words that train does not have."}


def test_given_splits_that_share_rows_are_told(into):
    values = np.concatenate([NOISE[:100], NOISE[:20]])
    y = np.concatenate([np.arange(100) % 2, np.arange(20) % 2])
    table = Table(
        [Column("a", "number", values), Column("y", "category", y, ("p", "q"))],
        {"kind": "here"},
        given=np.array([UNSPLIT] * 100 + [TEST] * 20, dtype=np.int8),
    )
    manifest = build_table(table, into, name="d")
    assert manifest.splits["test"] == 20
    assert "the source's own splits share them" in finding(manifest, "duplicates_across_splits")[0]


@pytest.mark.parametrize("rows", [10, 11, 14, 49])
def test_ten_rows_of_a_number_are_enough(prepare, rows):
    columns = {"a": [place % 4 for place in range(rows)], "y": [place * 1.5 for place in range(rows)]}
    splits = prepare(columns).splits
    assert sum(splits.values()) == rows
    assert min(splits.values()) >= 1
    assert splits["train"] >= 0.6 * rows


def test_too_few_different_rows_of_a_number_are_told_without_classes(prepare):
    columns = {
        "a": list(range(10)),
        "part": ["train", *["test"] * 9],
        "y": [place * 1.5 for place in range(10)],
    }
    with pytest.raises(BadInputError, match=r"^Too few different rows to leave some for validation") as told:
        prepare(columns, target="y", split_column="part")
    assert told.value.hint == "Add rows that differ."


def test_ten_rows_are_enough_and_said_to_be_few(prepare):
    manifest = prepare({"a": NOISE[:10].tolist(), "y": [("no", "yes")[n % 2] for n in range(10)]})
    assert manifest.splits == {"train": 7, "validation": 1, "test": 2}
    assert "Only 2 rows are left to test on" in finding(manifest, "small_test")[0]
