"""What becomes of a table: types, target, splits, what is fitted on train, what is left out."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from tests.engine.data.columns import CHANCE, NOISE, YES_NO, finding, left_out, shards, types

from cloudtui_engine.data import Wishes, build_dataset, placing, verify
from cloudtui_engine.data.splits import TEST, UNSPLIT
from cloudtui_engine.data.table_build import build_table
from cloudtui_engine.data.tables import Column, Table
from cloudtui_engine.errors import BadInputError
from cloudtui_features import apply, check, tabular


def test_types_are_seen(prepare):
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=n % 90) for n in range(400)]
    manifest = prepare(
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


def test_what_no_model_can_use_is_left_out_with_the_reason(prepare):
    manifest = prepare(
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
        leave_out=("6",),
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


def test_the_numbers_are_fitted_on_train_only(prepare, into):
    values = [None if n % 10 == 0 else value for n, value in enumerate(NOISE.tolist())]
    manifest = prepare({"a": values, "b": [("x", "y")[n % 5 == 0] for n in range(400)], "y": YES_NO})
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
    other = prepare({"a": values, "b": [("x", "y")[n % 5 == 0] for n in range(400)], "y": YES_NO}, seed=1)
    assert other.data["features"]["columns"][0]["mean"] != a["mean"]


def test_shards_hold_what_encode_makes_of_the_cells(prepare, into):
    columns = {
        "a": [None if n % 7 == 0 else value for n, value in enumerate(NOISE.tolist())],
        "b": [None if n % 11 == 0 else ("x", "y", "z")[n % 3] for n in range(400)],
        "day": [f"{1 + n % 28:02}.03.2021" for n in range(400)],
        "y": YES_NO,
    }
    manifest = prepare(columns)
    check(manifest.data["features"])
    wanted = tabular.encode(manifest.data["features"], columns)
    labels = tabular.labels(manifest.classes, YES_NO)
    stored = [shards(into, manifest, split) for split in manifest.splits]
    found = np.column_stack([np.concatenate([x for x, _ in stored]), np.concatenate([y for _, y in stored])])
    wanted = np.column_stack([wanted, labels])
    assert sorted(map(bytes, found.astype(np.float32))) == sorted(map(bytes, wanted.astype(np.float32)))
    assert verify(into / manifest.sha256) == manifest


def test_the_same_table_is_the_same_version_and_another_seed_another(prepare):
    columns = {"a": NOISE.tolist(), "y": YES_NO}
    first = prepare(columns)
    assert prepare(columns) == first
    assert prepare(columns, seed=1).sha256 != first.sha256
    assert prepare(columns, seed=1).data["source"]["seed"] == 1


def test_classes_keep_their_share_in_each_split(prepare, into):
    manifest = prepare({"a": NOISE.tolist(), "y": ["rare" if n % 20 == 0 else "common" for n in range(400)]})
    for split in manifest.splits:
        _, y = shards(into, manifest, split)
        assert y.dtype == np.int64
        assert (y == 1).mean() == pytest.approx(0.05, abs=0.02)
    assert "common has 380 rows, rare 20" in finding(manifest, "imbalanced")[0]


def test_a_number_is_predicted_where_there_are_many(prepare, into):
    manifest = prepare({"a": NOISE.tolist(), "y": (NOISE * 9 + CHANCE.normal(size=400)).tolist()})
    assert manifest.data["target"] == {"name": "y", "kind": "number"}
    assert manifest.classes == ()
    _, train = shards(into, manifest, "train")
    _, test = shards(into, manifest, "test")
    assert train.dtype == np.float32
    target = manifest.data["features"]["target"]
    assert target["mean"] == pytest.approx(train.mean(), abs=1e-5)
    assert target["std"] == pytest.approx(train.std(), rel=1e-5)
    assert np.quantile(test, [0.25, 0.75]) == pytest.approx(np.quantile(train, [0.25, 0.75]), abs=2)


def test_whole_numbers_are_classes_where_they_are_few(prepare):
    few = prepare({"a": NOISE.tolist(), "y": [n % 12 for n in range(400)]})
    assert few.classes == tuple(str(n) for n in range(12)), "10 comes after 9"
    words = prepare({"a": NOISE.tolist(), "y": [f"c{n % 12}" for n in range(400)]})
    assert words.classes == tuple(f"c{n}" for n in range(12))
    many = prepare({"a": NOISE.tolist(), "y": [n % 21 for n in range(400)]})
    assert many.data["target"]["kind"] == "number"


def test_numbers_that_float32_cannot_hold_are_missing(prepare):
    values = NOISE.tolist()
    values[3], values[4] = 1e39, float("inf")
    manifest = prepare({"a": values, "y": YES_NO})
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


def test_words_of_any_length_do_not_end_in_the_manifest(prepare, monkeypatch):
    essays = [letter * 600 for letter in "ab"]
    columns = {"a": NOISE.tolist(), "essay": [essays[n % 2] for n in range(400)], "y": YES_NO}
    assert left_out(prepare(columns)) == {"essay": "it is free text"}
    with pytest.raises(BadInputError, match="essay cannot be predicted: it is free text"):
        prepare(columns, target="essay")
    monkeypatch.setattr(placing, "LIMIT", 500)
    with pytest.raises(BadInputError, match="too much"):
        prepare(columns)
