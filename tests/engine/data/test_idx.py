"""Idx files, whole and damaged."""

from __future__ import annotations

import numpy as np
import pytest

from cloudtui_engine.data import build_dataset
from cloudtui_engine.errors import BadInputError


def build(source, into):
    return build_dataset(str(source), into, name="d")


@pytest.mark.parametrize("packed", [False, True])
def test_train_and_test_pairs_keep_their_split(write_idx, into, packed):
    write_idx("train-", 60, packed=packed)
    manifest = build(write_idx("t10k-", 24, packed=packed), into)
    assert manifest.splits == {"train": 54, "validation": 6, "test": 24}
    assert manifest.data["input"]["shape"] == [1, 6, 5]


def test_packed_and_unpacked_are_the_same_version(write_idx, into):
    assert build(write_idx("x-"), into) == build(write_idx("x-", packed=True), into)


def test_one_pair_is_split_and_may_be_named_by_its_file(write_idx, into):
    folder = write_idx("emnist-letters-train-")
    manifest = build(folder / "emnist-letters-train-images-idx3-ubyte", into)
    assert manifest.splits == {"train": 42, "validation": 6, "test": 12}


def test_pixels_arrive_unchanged(write_idx, into):
    folder = write_idx("a-")
    manifest = build(folder, into)
    raw = np.frombuffer((folder / "a-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(60, 1, 6, 5)
    stored = np.concatenate([np.load(into / manifest.sha256 / f"{split}-x.npy") for split in manifest.splits])
    assert sorted(row.tobytes() for row in stored) == sorted(row.tobytes() for row in raw)


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def other_magic(path):
    path.write_bytes(b"\0\0\x0c\x03" + path.read_bytes()[4:])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: cut(folder / "a-images-idx3-ubyte"), "a-images-idx3-ubyte is cut off"),
        (lambda folder: other_magic(folder / "a-images-idx3-ubyte"), "not an idx file"),
        (lambda folder: (folder / "a-images-idx3-ubyte").write_bytes(b""), "cut off"),
        (lambda folder: (folder / "a-labels-idx1-ubyte").unlink(), "no labels beside"),
    ],
)
def test_a_damaged_pair_is_named_and_nothing_is_left(write_idx, into, spoil, why):
    folder = write_idx("a-")
    spoil(folder)
    with pytest.raises(BadInputError, match=why):
        build(folder, into)
    assert not into.exists() or list(into.iterdir()) == []


def test_damaged_gzip(write_idx, into):
    folder = write_idx("a-", packed=True)
    path = folder / "a-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInputError, match="is damaged"):
        build(folder, into)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(BadInputError, match="is damaged"):
        build(folder, into)


def test_counts_that_differ(write_idx, into):
    folder = write_idx("a-")
    other = write_idx("b-", 12)
    (folder / "a-labels-idx1-ubyte").write_bytes((other / "b-labels-idx1-ubyte").read_bytes())
    with pytest.raises(BadInputError, match=r"60 images and .* has 12 labels"):
        build(folder / "a-images-idx3-ubyte", into)


def test_pairs_that_are_no_train_and_test(write_idx, into):
    write_idx("a-")
    with pytest.raises(BadInputError, match="Cannot tell train from test"):
        build(write_idx("b-"), into)


def test_sizes_that_differ(write_idx, into):
    write_idx("train-")
    with pytest.raises(BadInputError, match="differ in size"):
        build(write_idx("t10k-", size=(7, 7)), into)


def test_too_few_rows_and_one_class(write_idx, into):
    with pytest.raises(BadInputError, match="only 9 rows"):
        build(write_idx("a-", 9), into)
    with pytest.raises(BadInputError, match="only one class"):
        build(write_idx("a-", 30, classes=1), into)
    with pytest.raises(BadInputError, match="Too few rows in each class"):
        build(write_idx("a-", 10, classes=10), into)


def test_labels_are_no_images(write_idx, into):
    with pytest.raises(BadInputError, match="these are labels"):
        build(write_idx("a-") / "a-labels-idx1-ubyte", into)


def test_gzip_by_name_only(write_idx, into):
    folder = write_idx("a-")
    (folder / "a-images-idx3-ubyte").rename(folder / "a-images-idx3-ubyte.gz")
    with pytest.raises(BadInputError, match="is damaged"):
        build(folder, into)
