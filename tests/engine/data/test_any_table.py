"""What holds for every table, whatever is in it."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.data.columns import shards

from cloudtui_engine.data import table_rows, verify
from cloudtui_engine.data.splits import TRAIN, UNSPLIT
from cloudtui_engine.data.table_build import build_table
from cloudtui_engine.data.tables import Column, Table
from cloudtui_engine.errors import BadInputError
from cloudtui_features import apply, check

TABLES = st.integers(10, 80).flatmap(
    lambda rows: st.tuples(
        st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=rows, max_size=rows),
        st.lists(st.one_of(st.just(-1), st.integers(0, 3)), min_size=rows, max_size=rows),
        st.lists(st.integers(0, 2), min_size=rows, max_size=rows),
        st.integers(0, 9),
    )
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TABLES)
def test_any_table_becomes_whole_shards_or_a_clear_refusal(into, drawn):
    numbers, words, y, seed = drawn
    a = np.array([np.nan if value is None or not np.isfinite(value) else value for value in numbers])
    table = Table(
        [
            Column("a", "number", a),
            Column("b", "category", np.array(words), ("p", "q", "r", "s")),
            Column("y", "category", np.array(y), ("u", "v", "w")),
        ],
        {"kind": "here"},
        target="y",
    )
    try:
        manifest = build_table(table, into, name="d", seed=seed)
    except BadInputError:
        return
    check(manifest.data["features"])
    assert sum(manifest.splits.values()) == len(y)
    for split in manifest.splits:
        x, _ = shards(into, manifest, split)
        assert not np.isnan(apply(manifest.data["features"], x)).any()
    verify(into / manifest.sha256)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_groups_are_the_rows_that_are_alike(rows):
    a, b = (np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
    group = table_rows.groups([Column("a", "number", a), Column("b", "number", b)])
    assert group.tolist() == [rows.index(row) for row in rows]


@given(st.lists(st.integers(0, 20), min_size=20, max_size=80), st.integers(0, 5))
def test_rows_of_a_group_get_one_split(members, seed):
    group = np.array([members.index(member) for member in members])
    codes = table_rows.split(group % 2, np.full(len(group), UNSPLIT), group, seed)
    assert all(len(set(codes[group == one])) == 1 for one in group)
    assert TRAIN in codes
