"""Parquet files, whole and damaged."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from tests.engine.data.columns import NOISE, YES_NO, left_out, shards, types

from cloudtui_engine.data import Wishes, build_dataset
from cloudtui_engine.errors import BadInputError


def test_parquet_and_csv_are_the_same_rows(prepare, into):
    columns = {
        "a": NOISE.tolist(),
        "flag": [None if n % 9 == 0 else n % 2 == 0 for n in range(400)],
        "day": [datetime.date(2020, 1, 1 + n % 28) for n in range(400)],
        "town": [("Rome", "Oslo")[n % 2] for n in range(400)],
        "y": YES_NO,
    }
    one, other = prepare(columns), prepare(columns, "t.parquet")
    assert types(one) == types(other)
    for split in one.splits:
        np.testing.assert_array_equal(shards(into, one, split)[0], shards(into, other, split)[0])


def test_nested_parquet_columns_are_left_out_and_no_target(prepare):
    columns = {"a": NOISE.tolist(), "list": [[n] for n in range(400)], "pair": [{"b": n} for n in range(400)],
               "raw": [b"x"] * 400, "y": YES_NO}  # fmt: skip
    assert left_out(prepare(columns, "t.parquet", target="y")) == {
        "list": "it holds lists or structures",
        "pair": "it holds lists or structures",
        "raw": "it holds bytes",
    }
    with pytest.raises(BadInputError, match="pair cannot be predicted: it holds lists"):
        prepare(columns, "t.parquet", target="pair")


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"a": []}, "no rows"),
        ({"a": [1, 2]}, "one column only"),
        ({f"c{n}": [1] for n in range(4097)}, "4,097"),
    ],
)
def test_parquet_files_that_are_too_small_or_wide(prepare, columns, why):
    with pytest.raises(BadInputError, match=why):
        prepare(columns, "t.parquet")


def test_a_damaged_parquet_is_said(tmp_path, into):
    for name, content in (("a.parquet", b"PAR1" + b"x" * 100), ("b.parquet", b""), ("c.pq", b"a,b\n1,2\n")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInputError, match=f"{name} cannot be read as Parquet"):
            build_dataset(str(tmp_path / name), into, name="d")


def test_damage_that_makes_polars_panic_is_said(prepare, monkeypatch):
    """Flipped bytes in a page do; which ones hangs on its version, so the panic itself is played."""

    def panics(*_args, **_options):
        raise pl.exceptions.PanicException("assertion failed")

    monkeypatch.setattr(pl, "read_parquet", panics)
    with pytest.raises(BadInputError, match="it is damaged"):
        prepare({"a": NOISE.tolist(), "y": YES_NO}, "t.parquet")


def test_parts_in_a_folder_are_one_table(tmp_path, into, prepare):
    columns = {"a": NOISE.tolist(), "y": YES_NO}
    whole = prepare(columns)
    for part in range(4):
        rows = pl.DataFrame({name: values[part * 100 : part * 100 + 100] for name, values in columns.items()})
        rows.write_parquet(tmp_path / f"part-{part:05}.parquet")
    (tmp_path / "_SUCCESS").write_bytes(b"")
    parts = tmp_path / "parts"
    parts.mkdir()
    for path in (*tmp_path.glob("part-*"), tmp_path / "_SUCCESS"):
        path.rename(parts / path.name)
    made = build_dataset(str(parts), into, name="d")
    assert made.splits == whole.splits
    np.testing.assert_array_equal(shards(into, made, "test")[0], shards(into, whole, "test")[0])


def test_a_folder_that_is_named_for_a_column_is_one_and_other_columns_are_refused(tmp_path, into):
    parts = tmp_path / "t"
    for year in (2025, 2026):
        folder = parts / f"year={year}"
        folder.mkdir(parents=True)
        rows = {"a": NOISE.tolist()[:200], "y": YES_NO[:200]}
        pl.DataFrame(rows).write_parquet(folder / "0.parquet")
    made = build_dataset(str(parts), into, name="d", wishes=Wishes(target="y"))
    assert [one["name"] for one in made.data["columns"]] == ["a", "year"]
    pl.DataFrame({"b": [1.0], "y": ["yes"]}).write_parquet(parts / "year=2026" / "1.parquet")
    with pytest.raises(BadInputError, match="t cannot be read as Parquet"):
        build_dataset(str(parts), into, name="d")
