"""Data on a host that is cut off, foreign or wrong: said in the journal, and nothing is trained."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from cloudtui_trainer.tasks.image import ImageParams, ImageTask

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


def task(home, **params):
    return ImageTask(home.root / "data" / home.dataset, ImageParams(**params), torch.device("cpu"))


def test_a_certain_answer_costs_more_where_labels_are_smoothed(home):
    outputs, targets = torch.eye(10) * 20, torch.arange(10)
    plain, smoothed = (task(home, label_smoothing=share).loss(outputs, targets) for share in (0.0, 0.2))
    assert plain < 1e-6
    assert smoothed == pytest.approx(0.2 * 0.9 * 20, rel=1e-3)


@pytest.mark.parametrize("params", [{"augment": "shift_flip"}, {"augment": "none", "erase": 0.5}])
def test_rows_are_changed_where_it_is_asked_for_alone(home, params):
    changing, rows = task(home, **params), torch.arange(50)
    plain = task(home, augment="none").batch("train", rows)[0]
    assert torch.equal(changing.batch("train", rows)[0], plain)
    assert not torch.equal(changing.batch("train", rows, augment=True)[0], plain)
