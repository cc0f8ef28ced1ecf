"""The published datasets, from files of our own that are served in their place."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest
from tests.engine.data.conftest import idx_bytes
from tests.engine.data.server import published_as

from cloudtui_engine.data import build_dataset, downloads, published
from cloudtui_engine.errors import BadInputError


def idx_set(prefix, rows):
    images = np.random.default_rng(rows).integers(0, 255, (rows, 4, 4))
    return {
        f"{prefix}-images-idx3-ubyte.gz": gzip.compress(idx_bytes(images), mtime=0),
        f"{prefix}-labels-idx1-ubyte.gz": gzip.compress(idx_bytes(np.arange(rows) % 10), mtime=0),
    }


def serve(server, monkeypatch, attribute, contents):
    name = getattr(published, attribute).name
    monkeypatch.setattr(published, attribute, published_as(name, contents))
    server.files = {f"/{name}/{file}": content for file, content in contents.items()}


@pytest.mark.parametrize(
    ("source", "attribute", "label"), [("mnist", "MNIST", "9"), ("fashion-mnist", "FASHION", "Bag")]
)
def test_idx_sets(server, monkeypatch, tmp_path, source, attribute, label):
    monkeypatch.setattr(published, "DEBIAN", tmp_path / "none")
    serve(server, monkeypatch, attribute, idx_set("train", 60) | idx_set("t10k", 20))
    manifest = build_dataset(source, tmp_path / "data", name="d")
    assert manifest.splits == {"train": 54, "validation": 6, "test": 20}
    assert label in manifest.classes
    assert manifest.data["source"]["name"] == source
    assert (tmp_path / "downloads" / source).is_dir()


def test_debians_fashion_is_used_only_when_it_is_the_same(server, monkeypatch, tmp_path):
    folder = tmp_path / "debian"
    folder.mkdir()
    contents = idx_set("train", 60) | idx_set("t10k", 20)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    unpacked = [hashlib.sha256(gzip.decompress(content)).hexdigest() for content in contents.values()]
    monkeypatch.setattr(published, "DEBIAN", folder)
    monkeypatch.setattr(published, "FASHION_UNPACKED", tuple(unpacked))
    first = build_dataset("fashion-mnist", tmp_path / "data", name="d")
    assert server.asked == []
    serve(server, monkeypatch, "FASHION", contents)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(np.arange(20) % 9)))
    assert build_dataset("fashion-mnist", tmp_path / "data", name="d") == first
    assert len(server.asked) == 4


def test_fashion_as_debian_ships_it_is_what_was_published():
    if not published.DEBIAN.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    assert published._is_debians()


def cifar(rows=20, skip=(), extra=()):
    """An archive of six batches; the label of a row stands in its first pixel, too."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for place, name in enumerate([*published._CIFAR_FILES, *(name for name, _ in extra)]):
            if name in skip:
                continue
            batch = np.zeros((rows, 3073), dtype=np.uint8)
            batch[:, 0] = batch[:, 1] = np.arange(rows) % 10
            batch[:, 2] = place
            content = dict(extra).get(name, batch.tobytes())
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def test_cifar10_is_read_from_its_binary_version(server, monkeypatch, tmp_path):
    serve(server, monkeypatch, "CIFAR10", {"cifar-10-binary.tar.gz": cifar()})
    manifest = build_dataset("cifar10", tmp_path / "data", name="d")
    assert manifest.splits == {"train": 90, "validation": 10, "test": 20}
    assert manifest.data["input"]["shape"] == [3, 32, 32]
    folder = tmp_path / "data" / manifest.sha256
    x, y = np.load(folder / "test-x.npy"), np.load(folder / "test-y.npy")
    assert (x[:, 0, 0, 0] == y).all()
    assert (x[:, 0, 0, 1] == 5).all()
    assert manifest.classes[3] == "cat"


class Trap:
    def __reduce__(self):
        return (open, ("/nonexistent/trap", "w"))


@pytest.mark.parametrize(
    "archive",
    [
        cifar(skip=("data_batch_2.bin",)),
        cifar(skip=("test_batch.bin",), extra=[("test_batch.bin", b"x" * 100)]),
        cifar()[:-200],
        b"no archive",
    ],
)
def test_an_archive_that_is_none_is_refused(server, monkeypatch, tmp_path, archive):
    serve(server, monkeypatch, "CIFAR10", {"cifar-10-binary.tar.gz": archive})
    with pytest.raises(BadInputError, match="six batches"):
        build_dataset("cifar10", tmp_path / "data", name="d")


def test_nothing_of_an_archive_is_unpacked_or_unpickled(server, monkeypatch, tmp_path):
    trap = [("../../../escaped", b"x"), ("data_batch_1", pickle.dumps(Trap()))]
    serve(server, monkeypatch, "CIFAR10", {"cifar-10-binary.tar.gz": cifar(extra=trap)})
    build_dataset("cifar10", tmp_path / "data", name="d")
    names = {path.name for path in tmp_path.rglob("*")}
    assert not names & {"escaped", "data_batch_1"}


ADULT_ROW = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Husband, White, Male, {}, 0, 40, ?, {}"
)


def test_adult_keeps_its_own_test_rows(server, monkeypatch, tmp_path):
    train = "\n".join(ADULT_ROW.format(n, "<=50K" if n % 3 else ">50K") for n in range(60)) + "\n\n"
    test = "|1x3 Cross validator\n" + "\n".join(
        ADULT_ROW.format(n, "<=50K." if n % 2 else ">50K.") for n in range(100, 120)
    )
    serve(server, monkeypatch, "ADULT", {"adult.data": train.encode(), "adult.test": test.encode()})
    manifest = build_dataset("adult", tmp_path / "data", name="d")
    assert manifest.splits == {"train": 54, "validation": 6, "test": 20}
    assert manifest.classes == ("<=50K", ">50K")
    assert manifest.data["target"] == {"name": "income", "kind": "classes"}
    assert [column["name"] for column in manifest.data["columns"]] == ["capital-gain"]


def test_the_hashes_are_those_of_files_that_are_here(shared):
    """Of the files that were published two lie beside the project, and Adult's train rows do."""
    for file in published.MNIST.files[2:]:
        assert downloads.is_there(shared / "mnist" / f"mnist-{file.name}", file)
    assert downloads.is_there(shared / "adult.csv", published.ADULT.files[0])
