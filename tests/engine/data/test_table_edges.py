"""Edges of bins: quantiles that do not fall together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.data.table_edges import edges


def test_plain_values_get_their_quantiles():
    values = np.arange(1000, dtype=np.float32)
    assert edges(values).tolist() == np.quantile(values, np.linspace(0, 1, 32)).astype(np.float32).tolist()


def test_a_heavy_value_takes_one_edge_and_leaves_the_others():
    values = np.concatenate([np.zeros(9000), np.linspace(100, 5000, 1000)]).astype(np.float32)
    found = edges(values)
    assert len(found) == 32
    assert found[0] == 0
    assert (found[1:] >= 100).all()


def test_few_values_are_edges_each():
    assert edges(np.array([3, 1, 1, 2, 3, 3], np.float32)).tolist() == [1, 2, 3]
    assert edges(np.array([7], np.float32)).tolist() == [7]


numbers = st.lists(st.integers(-9, 9) | st.floats(-1e6, 1e6, width=32), min_size=1, max_size=200)


@given(numbers, st.integers(2, 40))
def test_edges_ascend_and_never_leave_the_values(given_numbers, most):
    values = np.array(given_numbers, dtype=np.float32)
    found = edges(values, most)
    assert 1 <= len(found) <= most
    assert (np.diff(found) > 0).all()
    assert values.min() <= found[0]
    assert found[-1] <= values.max()


def test_edges_between_the_largest_floats_are_numbers():
    largest = float(np.finfo(np.float32).max)
    found = edges(np.array([-largest, largest, 0.5, 1.5], dtype=np.float32), 32)
    assert np.isfinite(found).all()
    assert (found[0], found[-1]) == (-largest, largest)
