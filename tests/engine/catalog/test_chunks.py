from __future__ import annotations

import math
from array import array

import numpy as np  # now, so that no single example pays for it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.catalog import chunks

STEPS = st.integers(min_value=0, max_value=1 << 53)


@given(st.lists(STEPS, min_size=1, max_size=50))
def test_steps_come_back(steps: list[int]) -> None:
    packed = chunks.pack_steps(array("q", steps))
    assert chunks.unpack_steps(len(steps), *packed).tolist() == steps
    assert chunks.steps_as_numpy(len(steps), *packed).tolist() == steps


@given(STEPS, st.integers(min_value=-1000, max_value=1000), st.integers(min_value=1, max_value=1024))
def test_even_steps_cost_nothing(first: int, stride: int, n: int) -> None:
    steps = array("q", [first + i * stride for i in range(n)])
    packed = chunks.pack_steps(steps)
    assert packed[2] is None
    assert chunks.unpack_steps(n, *packed) == steps
    assert chunks.steps_as_numpy(n, *packed).tolist() == steps.tolist()


def test_near_steps_cost_four_bytes() -> None:
    _, _, packed = chunks.pack_steps(array("q", [10**12, 10**12 + 5, 10**12 + 6]))
    assert packed is not None
    assert len(packed) == 12


@given(st.lists(st.floats(min_value=0, max_value=9e9), min_size=1, max_size=50))
def test_times_come_back_as_exact_as_promised(times: list[float]) -> None:
    packed = chunks.pack_times(array("d", times))
    for back in (chunks.unpack_times(len(times), *packed), chunks.times_as_numpy(len(times), *packed)):
        assert list(back) == pytest.approx(times, abs=0.07)


@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_values_come_back_bit_by_bit(values: list[float]) -> None:
    kept = array("d", values)
    assert chunks.values_as_numpy(kept.tobytes()).dtype == np.float64
    assert chunks.values_as_numpy(kept.tobytes()).tobytes() == kept.tobytes()


@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_the_range_is_of_finite_values(values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    low, high, _, n = chunks.finite_range(array("d", values))
    assert (low, high, n) == (min(finite, default=None), max(finite, default=None), len(finite))
