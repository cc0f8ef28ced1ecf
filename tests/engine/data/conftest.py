"""Small sources of every kind."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.engine.data.server import Server

from cloudtui_engine.data import Wishes, build_dataset
from cloudtui_engine.data.downloads import ELSEWHERE

SHARED = Path(__file__).parents[3].parent / "shared" / "data"


def idx_bytes(array):
    """The array as an idx file."""
    return (
        struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
        + array.astype(np.uint8).tobytes()
    )


@pytest.fixture
def into(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def write_idx(tmp_path):
    """Write a pair of idx files; returns their folder."""
    folder = tmp_path / "idx"

    def write(name, rows=60, size=(6, 5), packed=False, classes=3):
        folder.mkdir(exist_ok=True)
        chance = np.random.default_rng(rows)
        for kind, array in (
            ("images-idx3", chance.integers(0, 255, (rows, *size))),
            ("labels-idx1", np.arange(rows) % classes),
        ):
            content = idx_bytes(array)
            end = ".gz" if packed else ""
            (folder / f"{name}{kind}-ubyte{end}").write_bytes(gzip.compress(content) if packed else content)
        return folder

    return write


@pytest.fixture
def pictures(tmp_path):
    """A folder of two classes with eight pictures each; returns it."""
    folder = tmp_path / "pictures"
    for number, label in enumerate(("cat", "dog")):
        for index in range(8):
            path = folder / label / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (12, 12), 100 * number + index).save(path)
    return folder


@pytest.fixture
def shared():
    """The folder of real data; a test that needs it skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is missing")
    return SHARED


@pytest.fixture
def prepare(tmp_path, into):
    """Write columns as Parquet or CSV and prepare them; None is a missing cell."""

    def write(columns, name="t.csv", **wishes):
        path = tmp_path / name
        frame = pl.DataFrame(columns, strict=False)
        frame.write_csv(path) if name.endswith("csv") else frame.write_parquet(path)
        return build_dataset(str(path), into, name="d", wishes=Wishes(**wishes))

    return write


@pytest.fixture
def server(monkeypatch):
    running = Server()
    monkeypatch.setenv(ELSEWHERE, running.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield running
    running.close()
