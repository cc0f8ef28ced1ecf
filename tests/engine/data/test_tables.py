"""What becomes of a table: types, target, splits, what is fitted on train, what is left out, what is told."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtui_engine.data import Wishes, build_dataset, placing, table_rows, verify
from cloudtui_engine.data.splits import TEST, TRAIN, UNSPLIT
from cloudtui_engine.data.table_build import build_table
from cloudtui_engine.data.tables import Column, Table
from cloudtui_engine.errors import BadInputError
from cloudtui_features import apply, check, tabular

CHANCE = np.random.default_rng(7)
NOISE = CHANCE.normal(size=400)
YES_NO = ["yes" if value > 0 else "no" for value in NOISE + CHANCE.normal(size=400)]


@pytest.fixture
def build(tmp_path, into):
    """Write columns as Parquet or CSV and prepare them; None is a missing cell."""

    def write(columns, name="t.csv", **wishes):
        path = tmp_path / name
        frame = pl.DataFrame(columns, strict=False)
        frame.write_csv(path) if name.endswith("csv") else frame.write_parquet(path)
        return build_dataset(str(path), into, name="d", wishes=Wishes(**wishes))

    return write


def shards(into, manifest, split):
    folder = into / manifest.sha256
    return np.load(folder / f"{split}-x.npy"), np.load(folder / f"{split}-y.npy")


def finding(manifest, code):
    return [one["text"] for one in manifest.data["findings"] if one["code"] == code]


def left_out(manifest):
    return {one["name"]: one["why"] for one in manifest.data["left_out"]}


def types(manifest):
    return {one["name"]: one["type"] for one in manifest.data["columns"]}


def test_types_are_seen(build):
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=n % 90) for n in range(400)]
    manifest = build(
        {
            "ratio": NOISE.tolist(),
            "count": [n % 30 for n in range(400)],
            "member": [n % 3 == 0 for n in range(400)],
            "since": days,
            "german": [f"{day:%d.%m.%Y}" for day in days],
            "american": [f"{day:%m/%d/%Y}" for day in days],
            "moment": [f"{day}T12:00:00" for day in days],
            "town": [("Rome", "Oslo", "Lima")[n % 3] for n in range(400)],
            "mostly": ["unknown" if n == 9 else str(n * 7 % 50) for n in range(400)],
            "y": YES_NO,
        }
    )
    assert types(manifest) == {
        "ratio": "number", "count": "integer", "member": "boolean", "since": "date", "german": "date",
        "american": "date", "moment": "date", "town": "category", "mostly": "integer",
    }  # fmt: skip
    assert "1 of 400 cells are not numbers, for instance 'unknown'" in finding(manifest, "not_numbers")[0]
    fitted = {one["name"]: one for one in manifest.data["features"]["columns"]}
    assert fitted["since"]["unit"] == tabular.DATE_UNIT
    assert fitted["german"]["format"] == "%d.%m.%Y"
    assert fitted["german"]["edges"] == fitted["since"]["edges"] == fitted["american"]["edges"]
    assert fitted["moment"]["fill"] == fitted["since"]["fill"] + 0.5
    assert len(finding(manifest, "date")) == 4


def test_what_no_model_can_use_is_left_out_with_the_reason(build):
    manifest = build(
        {
            "row": list(range(1, 401)),
            "user_id": CHANCE.permutation(10_000)[:400].tolist(),
            "uuid": [f"{n:08x}" for n in CHANCE.permutation(10_000)[:400]],
            "story": [f"once upon a time there were {n} of them" for n in range(400)],
            "empty": [None] * 400,
            "same": ["x"] * 400,
            "same_number": [3] * 400,
            "useful": NOISE.tolist(),
            "y": YES_NO,
        },
        leave_out=("9", "same"),
        target="y",
    )
    assert left_out(manifest) == {
        "row": "it numbers the rows",
        "user_id": "it is an identifier: its name says so and no two are alike",
        "uuid": "it is an identifier: nearly every value differs",
        "story": "it is free text",
        "empty": "all its values are missing",
        "same": "you asked for it",
        "same_number": "it has one value only",
    }
    assert [one["name"] for one in manifest.data["columns"]] == ["useful"]


def test_the_numbers_are_fitted_on_train_only(build, into):
    values = [None if n % 10 == 0 else value for n, value in enumerate(NOISE.tolist())]
    manifest = build({"a": values, "b": [("x", "y")[n % 5 == 0] for n in range(400)], "y": YES_NO})
    x, _ = shards(into, manifest, "train")
    a, b = manifest.data["features"]["columns"]
    there = x[~np.isnan(x[:, 0]), 0].astype(np.float64)
    assert a["fill"] == np.float32(np.median(there))
    applied = apply(manifest.data["features"], x)
    assert applied[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert applied[:, 0].std() == pytest.approx(1, abs=1e-6)
    assert len(a["edges"]) <= 32
    assert a["edges"] == sorted(set(a["edges"]))
    assert (a["edges"][0], a["edges"][-1]) == (there.min(), there.max())
    assert b["vocabulary"] == ["x", "y"], "the most frequent first"
    other = build({"a": values, "b": [("x", "y")[n % 5 == 0] for n in range(400)], "y": YES_NO}, seed=1)
    assert other.data["features"]["columns"][0]["mean"] != a["mean"]


def test_shards_hold_what_encode_makes_of_the_cells(build, into):
    columns = {
        "a": [None if n % 7 == 0 else value for n, value in enumerate(NOISE.tolist())],
        "b": [None if n % 11 == 0 else ("x", "y", "z")[n % 3] for n in range(400)],
        "day": [f"{1 + n % 28:02}.03.2021" for n in range(400)],
        "y": YES_NO,
    }
    manifest = build(columns)
    check(manifest.data["features"])
    wanted = tabular.encode(manifest.data["features"], columns)
    labels = tabular.labels(manifest.classes, YES_NO)
    stored = [shards(into, manifest, split) for split in manifest.splits]
    found = np.column_stack([np.concatenate([x for x, _ in stored]), np.concatenate([y for _, y in stored])])
    wanted = np.column_stack([wanted, labels])
    assert sorted(map(bytes, found.astype(np.float32))) == sorted(map(bytes, wanted.astype(np.float32)))
    assert verify(into / manifest.sha256) == manifest


def test_the_same_table_is_the_same_version_and_another_seed_another(build):
    columns = {"a": NOISE.tolist(), "y": YES_NO}
    first = build(columns)
    assert build(columns) == first
    assert build(columns, seed=1).sha256 != first.sha256
    assert build(columns, seed=1).data["source"]["seed"] == 1


def test_classes_keep_their_share_in_each_split(build, into):
    manifest = build({"a": NOISE.tolist(), "y": ["rare" if n % 20 == 0 else "common" for n in range(400)]})
    for split in manifest.splits:
        _, y = shards(into, manifest, split)
        assert y.dtype == np.int64
        assert (y == 1).mean() == pytest.approx(0.05, abs=0.02)
    assert "common has 380 rows, rare 20" in finding(manifest, "imbalanced")[0]


def test_a_number_is_predicted_where_there_are_many(build, into):
    manifest = build({"a": NOISE.tolist(), "y": (NOISE * 9 + CHANCE.normal(size=400)).tolist()})
    assert manifest.data["target"] == {"name": "y", "kind": "number"}
    assert manifest.classes == ()
    _, train = shards(into, manifest, "train")
    _, test = shards(into, manifest, "test")
    assert train.dtype == np.float32
    target = manifest.data["features"]["target"]
    assert target["mean"] == pytest.approx(train.mean(), abs=1e-5)
    assert target["std"] == pytest.approx(train.std(), rel=1e-5)
    assert np.quantile(test, [0.25, 0.75]) == pytest.approx(np.quantile(train, [0.25, 0.75]), abs=2)


def test_whole_numbers_are_classes_where_they_are_few(build):
    few = build({"a": NOISE.tolist(), "y": [n % 12 for n in range(400)]})
    assert few.classes == tuple(str(n) for n in range(12)), "10 comes after 9"
    words = build({"a": NOISE.tolist(), "y": [f"c{n % 12}" for n in range(400)]})
    assert words.classes == tuple(f"c{n}" for n in range(12))
    many = build({"a": NOISE.tolist(), "y": [n % 21 for n in range(400)]})
    assert many.data["target"]["kind"] == "number"


def test_rows_without_a_target_are_dropped_and_counted(build):
    manifest = build({"a": NOISE.tolist(), "y": [None if n < 30 else YES_NO[n] for n in range(400)]})
    assert sum(manifest.splits.values()) == 370
    assert "30 of 400 rows have no y" in finding(manifest, "target_missing")[0]


def test_the_same_row_is_never_learned_from_and_tested_on(build, into):
    rows = np.concatenate([np.arange(400), np.arange(0, 400, 4)])
    manifest = build({"a": NOISE[rows].tolist(), "b": rows.tolist(), "y": [YES_NO[n] for n in rows]})
    assert (
        "100 rows are the same as an earlier row; those that are alike are kept"
        in finding(manifest, "duplicates")[0]
    )
    parts = [{row.tobytes() for row in shards(into, manifest, split)[0]} for split in manifest.splits]
    assert len(set.union(*parts)) == sum(len(part) for part in parts)


def test_rows_that_come_again_by_nature_are_divided_all_the_same(build):
    manifest = build(
        {
            "a": [n % 3 for n in range(400)],
            "b": [n % 2 for n in range(400)],
            "y": [YES_NO[n % 12] for n in range(400)],
        }
    )
    assert manifest.splits == {"train": 280, "validation": 40, "test": 80}
    assert "come again by nature" in finding(manifest, "duplicates_across_splits")[0]


def test_rows_that_contradict_each_other_are_told(build):
    rows = np.concatenate([np.arange(400), np.arange(5)])
    other = [{"yes": "no", "no": "yes"}[YES_NO[n]] for n in range(5)]
    manifest = build({"a": NOISE[rows].tolist(), "y": YES_NO + other})
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
def test_a_column_that_tells_the_target_alone_is_reported_and_kept(build, leaking, target):
    clue = np.abs(NOISE + np.array([1.0 if one in {"yes"} else 0.0 for one in target]))
    manifest = build({"clue": clue.tolist(), "leak": leaking(target), "y": target})
    assert [one["column"] for one in manifest.data["findings"] if one["code"] == "leaking"] == ["leak"]
    assert "leak" in types(manifest)
    assert "--leave-out" in finding(manifest, "leaking")[0]


def test_a_column_that_puts_rare_classes_in_order_is_reported(build):
    rare = ["yes" if value > np.quantile(NOISE, 0.99) else "no" for value in NOISE]
    manifest = build({"clue": CHANCE.normal(size=400).tolist(), "leak": NOISE.tolist(), "y": rare})
    assert "puts the two classes in order" in finding(manifest, "leaking")[0]


def test_words_that_hardly_come_again_are_not_called_leaking(build):
    words = [f"w{n % 340}" for n in range(400)]
    for target in (YES_NO, CHANCE.normal(size=400).tolist()):
        manifest = build({"a": NOISE.tolist(), "word": words, "y": target})
        assert types(manifest)["word"] == "category"
        assert not finding(manifest, "leaking")


def test_strong_but_honest_columns_are_not_called_leaking(into):
    for source in ("breast-cancer", "wine", "diabetes"):
        assert not finding(build_dataset(source, into, name="d"), "leaking")


def test_missing_and_unseen_cells_are_told(build, into):
    towns = ["only once" if n == 5 else (None if n % 4 == 0 else "Rome") for n in range(400)]
    told = []
    for seed in range(12):
        manifest = build({"a": NOISE.tolist(), "town": towns, "y": YES_NO}, seed=seed)
        told += finding(manifest, "unseen")
    assert "town is missing in 100 rows (25.0%)" in finding(manifest, "missing")[0]
    assert told
    assert set(told) == {"town: 1 validation and test rows hold words that train does not have."}


def test_numbers_that_float32_cannot_hold_are_missing(build):
    values = NOISE.tolist()
    values[3], values[4] = 1e39, float("inf")
    manifest = build({"a": values, "y": YES_NO})
    assert "2 infinite or enormous number(s)" in finding(manifest, "not_finite")[0]
    assert manifest.data["columns"][0]["missing"] == 0.005


def test_a_decimal_comma_is_read_and_told(tmp_path, into):
    path = tmp_path / "t.csv"
    path.write_text("a;y\n" + "".join(f"{n},5;{'no' if n % 3 else 'yes'}\n" for n in range(60)))
    manifest = build_dataset(str(path), into, name="d")
    assert types(manifest) == {"a": "number"}
    assert finding(manifest, "decimal_comma")


def test_a_class_that_only_the_test_rows_have_is_refused(into):
    given_codes = np.array([UNSPLIT] * 40 + [TEST] * 10, dtype=np.int8)
    y = np.array([n % 2 for n in range(40)] + [2] * 10)
    table = Table(
        [Column("a", "number", NOISE[:50].copy()), Column("y", "category", y, ("p", "q", "r"))],
        {"kind": "here"},
        given=given_codes,
    )
    with pytest.raises(BadInputError, match="class r has no row to train on"):
        build_table(table, into, name="d")


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


def test_parquet_and_csv_are_the_same_rows(build, into):
    columns = {
        "a": NOISE.tolist(),
        "flag": [None if n % 9 == 0 else n % 2 == 0 for n in range(400)],
        "day": [datetime.date(2020, 1, 1 + n % 28) for n in range(400)],
        "town": [("Rome", "Oslo")[n % 2] for n in range(400)],
        "y": YES_NO,
    }
    one, other = build(columns), build(columns, "t.parquet")
    assert types(one) == types(other)
    for split in one.splits:
        np.testing.assert_array_equal(shards(into, one, split)[0], shards(into, other, split)[0])


def test_nested_parquet_columns_are_left_out_and_no_target(build):
    columns = {"a": NOISE.tolist(), "list": [[n] for n in range(400)], "pair": [{"b": n} for n in range(400)],
               "raw": [b"x"] * 400, "y": YES_NO}  # fmt: skip
    assert left_out(build(columns, "t.parquet", target="y")) == {
        "list": "it holds lists or structures",
        "pair": "it holds lists or structures",
        "raw": "it holds bytes",
    }
    with pytest.raises(BadInputError, match="pair cannot be predicted: it holds lists"):
        build(columns, "t.parquet", target="pair")


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"a": []}, "no rows"),
        ({"a": [1, 2]}, "one column only"),
        ({f"c{n}": [1] for n in range(4097)}, "4,097"),
    ],
)
def test_parquet_files_that_are_too_small_or_wide(build, columns, why):
    with pytest.raises(BadInputError, match=why):
        build(columns, "t.parquet")


def test_a_damaged_parquet_is_said(tmp_path, into):
    for name, content in (("a.parquet", b"PAR1" + b"x" * 100), ("b.parquet", b""), ("c.pq", b"a,b\n1,2\n")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInputError, match=f"{name} cannot be read as Parquet"):
            build_dataset(str(tmp_path / name), into, name="d")


def test_damage_that_makes_polars_panic_is_said(build, monkeypatch):
    """Flipped bytes in a page do; which ones hangs on its version, so the panic itself is played."""

    def panics(*_args, **_options):
        raise pl.exceptions.PanicException("assertion failed")

    monkeypatch.setattr(pl, "read_parquet", panics)
    with pytest.raises(BadInputError, match="it is damaged"):
        build({"a": NOISE.tolist(), "y": YES_NO}, "t.parquet")


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
        assert np.isfinite(apply(manifest.data["features"], x)).all()
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


def test_penguins(into, shared):
    manifest = build_dataset(str(shared / "penguins.csv"), into, name="d", wishes=Wishes(target="species"))
    assert manifest.classes == ("Adelie", "Chinstrap", "Gentoo")
    assert sum(manifest.splits.values()) == 344
    assert types(manifest)["sex"] == "category"
    missing = {one["name"]: one["missing"] for one in manifest.data["columns"]}
    assert missing["sex"] == pytest.approx(11 / 344, abs=1e-6)
    assert manifest.data["findings"]


def test_adult(into, shared):
    manifest = build_dataset(str(shared / "adult.csv"), into, name="d")
    assert manifest.splits == {"train": 22794, "validation": 3255, "test": 6512}
    assert manifest.classes == ("<=50K", ">50K")
    assert manifest.data["input"]["shape"] == [14]
    assert {one["name"] for one in manifest.data["columns"] if one["missing"]} == {
        "column_2",
        "column_7",
        "column_14",
    }


def test_news_is_free_text_and_says_so(into, shared):
    with pytest.raises(BadInputError, match="it is free text"):
        build_dataset(str(shared / "ag_news.csv"), into, name="d", wishes=Wishes(target="1"))


def test_ten_rows_are_enough_and_said_to_be_few(build):
    manifest = build({"a": NOISE[:10].tolist(), "y": [("no", "yes")[n % 2] for n in range(10)]})
    assert manifest.splits == {"train": 7, "validation": 1, "test": 2}
    assert "Only 2 rows are left to test on" in finding(manifest, "small_test")[0]


def test_words_of_any_length_do_not_end_in_the_manifest(build, monkeypatch):
    essays = [letter * 600 for letter in "ab"]
    columns = {"a": NOISE.tolist(), "essay": [essays[n % 2] for n in range(400)], "y": YES_NO}
    assert left_out(build(columns)) == {"essay": "it is free text"}
    with pytest.raises(BadInputError, match="essay cannot be predicted: it is free text"):
        build(columns, target="essay")
    monkeypatch.setattr(placing, "LIMIT", 500)
    with pytest.raises(BadInputError, match="too much"):
        build(columns)
