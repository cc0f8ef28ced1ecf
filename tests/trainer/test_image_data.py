"""Data on a host that is cut off, foreign or wrong: said in the journal, and nothing is trained."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("no_export")


@pytest.fixture
def data(home, tmp_path):
    """A copy of the dataset that may be spoilt."""
    whole = (tmp_path / "data").resolve()
    (tmp_path / "data").unlink()
    shutil.copytree(whole / home.dataset, tmp_path / "data" / home.dataset)
    return tmp_path / "data" / home.dataset


def cut(folder):
    content = (folder / "train-x.npy").read_bytes()
    (folder / "train-x.npy").write_bytes(content[: len(content) // 2])


def manifest(change):
    def spoil(folder):
        value = json.loads((folder / "manifest.json").read_text())
        change(value)
        (folder / "manifest.json").write_text(json.dumps(value))

    return spoil


def label(number):
    def spoil(folder):
        targets = np.load(folder / "validation-y.npy")
        targets[3] = number
        np.save(folder / "validation-y.npy", targets)

    return spoil


@pytest.mark.parametrize("where", ["memory", "stream"])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (cut, "Cannot read"),
        (lambda folder: (folder / "train-x.npy").write_bytes(b""), "Cannot read"),
        (lambda folder: (folder / "test-y.npy").unlink(), "Cannot read"),
        (lambda folder: np.save(folder / "train-x.npy", np.zeros((5, 1, 8, 8), np.uint8)), "not what its"),
        (lambda folder: np.save(folder / "train-x.npy", np.zeros((1257, 1, 8, 8))), "not what its manifest"),
        (lambda folder: np.save(folder / "train-y.npy", np.array([{}] * 1257)), "Cannot read"),
        (label(10), "not one of its 10 classes"), (label(-1), "not one of its 10 classes"),
        (manifest(lambda value: value.update(task="sound")), "does not hold"),
        (manifest(lambda value: value.update(input={"shape": [1, 9, 9]})), "damaged"),
        (manifest(lambda value: value["features"].update(mean=["x"])), "damaged"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "damaged"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_trained(home, data, spoil, why, where):
    spoil(data)
    assert home.run(data=where) == 1
    done = home.records()[-1]
    assert done["reason"] == "failed"
    assert why in done["message"]
    assert not home.records(kind="metric")
