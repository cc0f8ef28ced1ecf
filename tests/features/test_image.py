"""Fitted numbers are checked, and applied as they were fitted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_features import apply, check

GOOD = {"kind": "image", "shape": [2, 3, 3], "mean": [10.0, 20], "std": [2.0, 4.0]}


def test_each_channel_is_shifted_and_scaled():
    rows = np.full((5, 2, 3, 3), 30, dtype=np.uint8)
    found = apply(GOOD, rows)
    assert found.dtype == np.float32
    assert np.unique(found[:, 0]).tolist() == [10.0]
    assert np.unique(found[:, 1]).tolist() == [2.5]


@pytest.mark.parametrize("kind", ["sound", None, 3])
def test_an_unknown_kind_is_said(kind):
    with pytest.raises(ValueError, match="unknown kind of features"):
        apply({"kind": kind}, np.zeros((1, 2, 3, 3)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", [2, 3]), ("shape", None), ("shape", [2, 0, 3]),
        ("mean", [1.0]), ("mean", "10"), ("mean", [1, "2"]),
        ("std", [0.0, 1.0]), ("std", [math.nan, 1.0]), ("std", [True, 1.0]), ("std", None),
    ],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(key, value):
    with pytest.raises(ValueError, match="image features need"):
        check({**GOOD, key: value})


def test_rows_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="rows of shape"):
        apply(GOOD, np.zeros((1, 2, 4, 4)))


@given(st.integers(0, 255), st.floats(0, 255), st.floats(0.1, 100))
def test_undoing_it_gives_the_pixel_back(pixel, mean, std):
    features = {"kind": "image", "shape": [1, 1, 1], "mean": [mean], "std": [std]}
    found = apply(features, np.array([[[[pixel]]]], dtype=np.uint8))
    assert found.item() * std + mean == pytest.approx(pixel, abs=1e-3)
