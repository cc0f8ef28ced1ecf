"""Single rows of a version, and how its classes are divided."""

from __future__ import annotations

import numpy as np
import pytest

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.data import Wishes, add_dataset, class_balance, read_rows, read_targets
from cloudtui_engine.errors import BadInputError, NotFoundError
from cloudtui_engine.paths import Paths


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog.open(Paths(tmp_path / "home"))
    yield opened
    opened.close()


@pytest.fixture
def towns(catalog, tmp_path):
    """A table whose cells are all known: the number is the row, the town hangs on it."""
    path = tmp_path / "t.csv"
    lines = [
        f"{n * 7 % 90 / 2},{'' if n % 9 == 0 else ('Rome', 'Oslo')[n % 2]},{1 + n % 28:02}.03.2021,"
        f"{('no', 'yes')[n % 3 == 0]}"
        for n in range(90)
    ]
    path.write_text("\n".join(["n,town,day,good", *lines]))
    return add_dataset(catalog, "towns", str(path), wishes=Wishes(target="good"))


def test_cells_of_a_table(catalog, towns):
    cells = read_rows(catalog.paths, towns, "test", [0, 5, 5])
    assert list(cells[0]) == ["n", "town", "day"]
    assert cells[1] == cells[2]
    assert {row["town"] for row in read_rows(catalog.paths, towns, "train", range(40))} == {
        "Rome",
        "Oslo",
        None,
    }
    row = next(n for n in range(90) if n * 7 % 90 / 2 == cells[0]["n"])
    assert cells[0]["day"] == f"2021-03-{1 + row % 28:02}"
    assert read_targets(catalog.paths, towns, "test", [0]) == [("no", "yes")[row % 3 == 0]]


def test_pictures(catalog):
    digits = add_dataset(catalog, "digits", "digits")
    first, second = read_rows(catalog.paths, digits, "test", [0, 359])
    stored = np.load(catalog.paths.data / digits.sha256 / "test-x.npy")
    np.testing.assert_array_equal(first, stored[0])
    np.testing.assert_array_equal(second, stored[359])
    assert class_balance(catalog.paths, digits)["test"]["0"] in {35, 36, 37}
    assert read_targets(catalog.paths, digits, "train", []) == []


def test_the_balance_of_classes(catalog, towns):
    balance = class_balance(catalog.paths, towns)
    assert list(balance) == list(towns.splits)
    assert {split: sum(counts.values()) for split, counts in balance.items()} == dict(towns.splits)
    assert balance["train"].keys() == {"no", "yes"}


def test_numbers_have_no_balance(catalog):
    diabetes = add_dataset(catalog, "diabetes", "diabetes")
    assert class_balance(catalog.paths, diabetes) == {}
    assert 25 <= read_targets(catalog.paths, diabetes, "test", [3])[0] <= 346


@pytest.mark.parametrize("index", [-1, 18, 10**12])
def test_rows_that_are_not_there(catalog, towns, index):
    for read in (read_rows, read_targets):
        with pytest.raises(NotFoundError, match=f"no row {index} in test"):
            read(catalog.paths, towns, "test", [0, index])


def test_a_split_that_is_not_there(catalog, towns):
    with pytest.raises(NotFoundError, match="no split training"):
        read_rows(catalog.paths, towns, "training", [0])


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "cannot be read here"),
        (cut, "is damaged"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: np.save(path, np.zeros((18, 3, 2), dtype=np.float32)), "is damaged"),
        (lambda path: np.save(path, np.zeros((3, 3), dtype=np.float32)), "is damaged"),
        (lambda path: np.save(path, np.full((18, 3), 9, dtype=np.float32)), "is damaged"),
        (lambda path: np.save(path, np.array([{}] * 18), allow_pickle=True), "is damaged"),
    ],
)
def test_arrays_that_are_not_what_they_were(catalog, towns, spoil, why):
    spoil(catalog.paths.data / towns.sha256 / "test-x.npy")
    with pytest.raises(BadInputError, match=why):
        read_rows(catalog.paths, towns, "test", [0])


def test_a_class_that_is_not_known(catalog, towns):
    np.save(catalog.paths.data / towns.sha256 / "test-y.npy", np.full(18, 2))
    for read in (
        lambda: class_balance(catalog.paths, towns),
        lambda: read_targets(catalog.paths, towns, "test", [1]),
    ):
        with pytest.raises(BadInputError, match="a class is unknown"):
            read()
