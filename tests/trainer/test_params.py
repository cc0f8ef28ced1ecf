"""Parameters: read from what people type, and refused with the reason."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_trainer.errors import ParamError
from cloudtui_trainer.params import Params, read_params


def test_nothing_given_is_the_defaults():
    assert read_params(Params, {}) == Params()


@pytest.mark.parametrize(
    ("name", "given_value", "read"),
    [
        ("epochs", "3", 3),
        ("epochs", 3.0, 3),
        ("lr", "1e-3", 0.001),
        ("lr", 1, 1.0),
        ("optimizer", "sgd", "sgd"),
    ],
)
def test_text_and_numbers_are_read(name, given_value, read):
    assert getattr(read_params(Params, {name: given_value}), name) == read


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("epoch", 3, "Did you mean epochs?"), ("learning_rate", 1, "There"),
        ("epochs", 2.5, "a whole number"), ("epochs", "many", "a whole number"),
        ("epochs", True, "a whole number"), ("epochs", None, "a whole number"),
        ("epochs", 0, "from 1 to 100000"), ("batch_size", 1, "from 2"),
        ("lr", "nan", "a number"), ("lr", -1, "from 0"),
        ("lr", [1], "a number"), ("optimizer", "adam", "Choose from: adamw, sgd"), ("optimizer", 3, "a word"),
        ("ema", 1.0, "from 0"), ("seed", "1e400", "a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(name, value, why):
    with pytest.raises(ParamError, match=why):
        read_params(Params, {name: value})


@given(st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.floats() | st.text(max_size=5)))
def test_anything_is_either_read_or_refused(values):
    with contextlib.suppress(ParamError):
        assert isinstance(read_params(Params, values), Params)
