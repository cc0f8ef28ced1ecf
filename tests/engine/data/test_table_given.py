"""A table may bring its splits along."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.data.columns import NOISE, YES_NO, shards

from cloudtui_engine.errors import UsageError


def columns(words):
    return {"a": NOISE.tolist(), "part": words, "y": YES_NO}


def test_rows_go_where_their_column_says(prepare, into):
    words = [("Train", "Train", "valid", "TEST")[n % 4] for n in range(400)]
    manifest = prepare(columns(words), split_column="part")
    assert manifest.splits == {"train": 200, "validation": 100, "test": 100}
    assert [one["name"] for one in manifest.data["columns"]] == ["a"]
    for split, word in (("train", "Train"), ("validation", "valid"), ("test", "TEST")):
        wanted = np.float32([value for value, one in zip(NOISE, words, strict=True) if one == word])
        np.testing.assert_array_equal(np.sort(shards(into, manifest, split)[0][:, 0]), np.sort(wanted))


def test_what_the_column_does_not_give_is_drawn_from_train(prepare):
    words = [("test", None)[n % 10 != 0] for n in range(400)]
    assert prepare(columns(words), split_column="2").splits == {"train": 324, "validation": 36, "test": 40}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["train", "holdout"] * 200, "part does not name splits, for instance holdout"),
        ([n % 3 for n in range(400)], "part does not name splits"),
        (["test", "valid"] * 200, "part leaves no row to train on"),
    ],
)
def test_columns_that_name_no_splits(prepare, words, why):
    with pytest.raises(UsageError, match=why) as caught:
        prepare(columns(words), split_column="part")
    assert caught.value.hint


def test_a_column_that_is_not_there(prepare):
    with pytest.raises(UsageError, match="There is no column split"):
        prepare(columns(["train"] * 400), split_column="split")
