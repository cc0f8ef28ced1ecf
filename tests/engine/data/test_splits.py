"""Splits are complete, disjoint, in proportion, and the same for the same seed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudtui_engine.data.splits import TEST, TRAIN, UNSPLIT, VALIDATION, assign, shares

LABELS = st.lists(st.integers(0, 6), min_size=10, max_size=300).map(np.array)


def drawn(labels, seed=0):
    return assign(labels, np.full(len(labels), UNSPLIT), seed=seed)


@given(LABELS, st.integers(0, 2**32 - 1))
def test_every_row_is_in_one_split_and_the_draw_is_repeatable(labels, seed):
    codes = drawn(labels, seed)
    assert set(codes) <= {TRAIN, VALIDATION, TEST}
    assert (codes == drawn(labels, seed)).all()


@given(LABELS)
def test_each_class_has_its_share_and_stays_in_training(labels):
    codes = drawn(labels)
    for label in np.unique(labels):
        mine = codes[labels == label]
        assert (mine == TRAIN).any()
        assert abs((mine == TEST).sum() - 0.2 * len(mine)) <= 2
        assert abs((mine == VALIDATION).sum() - 0.1 * len(mine)) <= 2


@given(st.lists(st.integers(20, 200), min_size=2, max_size=8))
def test_totals_are_a_fifth_and_a_tenth(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    codes = drawn(labels)
    assert (codes == TEST).sum() == -(-len(labels) // 5)
    assert abs((codes == VALIDATION).sum() - len(labels) / 10) <= 0.5


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9), st.integers(0, 300), st.integers(0, 2))
def test_shares_add_up_as_far_as_there_is_room(counts, total, keep):
    given_out = shares(counts, total, keep=keep)
    room = np.maximum(np.array(counts) - keep, 0)
    assert (given_out >= 0).all()
    assert (given_out <= room).all()
    assert given_out.sum() == min(total, room.sum()) or not sum(counts)


@given(LABELS, st.data())
def test_rows_that_have_a_split_keep_it(labels, data):
    given_codes = np.array(
        data.draw(st.lists(st.sampled_from([UNSPLIT, TEST]), min_size=len(labels), max_size=len(labels)))
    )
    codes = assign(labels, given_codes)
    assert (codes[given_codes == TEST] == TEST).all()
    if (given_codes == TEST).any():
        assert (codes[given_codes == UNSPLIT] != TEST).all()


def test_another_seed_draws_others():
    labels = np.repeat(np.arange(3), 50)
    assert (drawn(labels, 1) != drawn(labels, 2)).any()
