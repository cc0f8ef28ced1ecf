"""A dataset version is whole, named by its content, and never half there."""

from __future__ import annotations

import errno
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cloudtui_engine.data import Wishes, build_dataset, load_manifest, verify
from cloudtui_engine.data.image_shards import Moments
from cloudtui_engine.data.shards import ShardWriter
from cloudtui_engine.errors import BadInputError, FailedError, UsageError


def build(source, into, **more):
    told = more.pop("on_progress", None)
    return build_dataset(str(source), into, name="d", wishes=Wishes(**more), on_progress=told)


def arrays(into, manifest, split):
    entry = manifest.data["splits"][split]
    folder = into / manifest.sha256
    return np.load(folder / entry["x"], allow_pickle=False), np.load(folder / entry["y"], allow_pickle=False)


def test_digits_are_split_70_10_20_and_named_by_their_content(into):
    manifest = build("digits", into)
    assert manifest.splits == {"train": 1257, "validation": 180, "test": 360}
    content = (into / manifest.sha256 / "manifest.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == manifest.sha256
    assert verify(into / manifest.sha256) == manifest
    x, y = arrays(into, manifest, "test")
    assert x.shape == (360, 1, 8, 8)
    assert x.dtype == np.uint8
    assert set(np.bincount(y)) <= {35, 36, 37}
    assert manifest.classes == tuple("0123456789")


def test_the_numbers_are_fitted_on_train_only(into):
    manifest = build("digits", into)
    x, _ = arrays(into, manifest, "train")
    assert manifest.data["features"]["mean"] == pytest.approx([x.mean()])
    assert manifest.data["features"]["std"] == pytest.approx([x.std()])


def test_a_channel_that_never_changes_can_be_divided_by():
    moments = Moments(2)
    moments.add(np.stack([np.full((4, 3, 3), 7), np.arange(36).reshape(4, 3, 3)], axis=1))
    assert moments.fitted()["mean"][0] == 7
    assert moments.fitted()["std"][0] == 1


def test_the_same_content_is_the_same_version_and_a_changed_one_another(into, pictures):
    first = build(pictures, into)
    again = build(pictures, into)
    assert again == first
    (pictures / "cat" / "0.png").write_bytes((pictures / "cat" / "1.png").read_bytes())
    assert build(pictures, into).sha256 != first.sha256
    assert len(list(into.iterdir())) == 2


def test_no_path_of_this_machine_is_in_the_manifest(into, pictures):
    manifest = build(pictures, into)
    assert str(pictures) not in json.dumps(dict(manifest.data))


def test_progress_is_told(into, pictures):
    told = []
    build(pictures, into, on_progress=lambda *step: told.append(step))
    assert told == [("Looking at pictures", 16, 16), ("Reading pictures", 16, 16)]


def test_a_full_disk_is_said_and_nothing_is_left(into, pictures, monkeypatch):
    def full(_self, _rows):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ShardWriter, "append", full)
    with pytest.raises(FailedError, match="is full"):
        build(pictures, into)
    assert list(into.iterdir()) == []


def test_a_disk_that_is_too_small_is_refused_before_writing(into, pictures, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1000})())
    with pytest.raises(FailedError, match="is full"):
        build(pictures, into)


def test_what_a_dead_process_left_is_swept(into, pictures):
    (into / ".making-999999999-x").mkdir(parents=True)
    build(pictures, into)
    assert [path.name for path in into.glob(".*")] == []


def test_other_tasks_are_refused(into):
    with pytest.raises(UsageError, match="tabular"):
        build("digits", into, task="tabular")


def test_digits_without_scikit_learn_say_what_to_install(into, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(BadInputError) as caught:
        build("digits", into)
    assert caught.value.hint == "pip install 'cloudtui[data]'"


@pytest.mark.parametrize(
    ("content", "why"),
    [("{", "damaged"), ("[]", "not a manifest"), ('{"format": 2}', "not a manifest"), (None, "Cannot read")],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, content, why):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BadInputError, match=why):
        load_manifest(tmp_path)


def test_a_manifest_cannot_point_outside_its_folder(into):
    manifest = build("digits", into)
    data = json.loads(json.dumps(dict(manifest.data)))
    data["files"]["../secret"] = {"size": 1, "sha256": "x"}
    path = into / manifest.sha256 / "manifest.json"
    path.write_text(json.dumps(data))
    with pytest.raises(BadInputError, match="not a manifest"):
        load_manifest(path.parent)


def test_a_changed_array_is_found(into):
    folder = into / build("digits", into).sha256
    with (folder / "test-x.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with pytest.raises(BadInputError, match=r"test-x\.npy differs"):
        verify(folder)


def test_mnist_test_digits(into, shared: Path):
    manifest = build(shared / "mnist", into)
    assert manifest.splits == {"train": 7000, "validation": 1000, "test": 2000}
    assert manifest.data["input"]["shape"] == [1, 28, 28]


def test_clothing_photos(into, shared: Path):
    manifest = build(shared / "clothing", into)
    assert sum(manifest.splits.values()) == 372
    assert manifest.data["input"]["shape"] == [3, 64, 64]
    assert len(manifest.classes) == 10
