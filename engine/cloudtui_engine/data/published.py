"""The datasets that are fetched: mnist, fashion-mnist, cifar10 and adult, with the hashes of their files."""

from __future__ import annotations

import csv
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data import downloads, idx
from cloudtui_engine.data.column_types import typed
from cloudtui_engine.data.csv_files import need_polars
from cloudtui_engine.data.downloads import File, Publication
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.splits import TEST, UNSPLIT
from cloudtui_engine.data.tables import Finding, Table
from cloudtui_engine.errors import BadInputError

_IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

MNIST = Publication(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        File(f"{_IDX[0]}.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        File(f"{_IDX[1]}.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        File(f"{_IDX[2]}.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        File(f"{_IDX[3]}.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
)
FASHION = Publication(
    "fashion-mnist",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
    (
        File(f"{_IDX[0]}.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        File(f"{_IDX[1]}.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        File(f"{_IDX[2]}.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        File(f"{_IDX[3]}.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
)
FASHION_UNPACKED = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
"""Of the four files unpacked: Debian packs the same bytes anew."""
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts them."""
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
           "Ankle boot")  # fmt: skip

CIFAR10 = Publication(
    "cifar10",
    "https://www.cs.toronto.edu/~kriz/",
    (
        File(
            "cifar-10-binary.tar.gz",
            170052171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
)
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR_FILES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
_CIFAR_ROW = 1 + 3 * 32 * 32
_CIFAR_MOST = 10_000 * _CIFAR_ROW

ADULT = Publication(
    "adult",
    "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/",
    (
        File("adult.data", 3974305, "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
        File("adult.test", 2003153, "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
    ),
)
_PEOPLE = ("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
           "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country",
           "income")  # fmt: skip
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error)


def open_mnist(where: Path, progress: Progress) -> Opened:
    """70,000 handwritten digits."""
    opened = idx.open_idx(downloads.fetch(MNIST, where, progress))
    return replace(opened, source={"kind": "built-in", "name": "mnist"})


def open_fashion(where: Path, progress: Progress) -> Opened:
    """70,000 pieces of clothing; Debian's copy where it is installed and whole."""
    folder = DEBIAN if _is_debians() else downloads.fetch(FASHION, where, progress)
    source = {"kind": "built-in", "name": "fashion-mnist"}
    return replace(idx.open_idx(folder), source=source, classes=CLOTHES)


def _is_debians() -> bool:
    try:
        for name, wanted in zip(_IDX, FASHION_UNPACKED, strict=True):
            with gzip.open(DEBIAN / f"{name}.gz") as file:
                if downloads.content_hash(file) != wanted:
                    return False
    except (OSError, EOFError, zlib.error):
        return False
    return True


def open_cifar10(where: Path, progress: Progress) -> Opened:
    """60,000 photos of 32 x 32 pixels. The binary version is read: no pickle is ever opened."""
    archive = downloads.fetch(CIFAR10, where, progress) / CIFAR10.files[0].name
    labels: list[npt.NDArray[Any]] = []
    given: list[npt.NDArray[Any]] = []
    for name, rows in _cifar_rows(archive):
        labels.append(rows[:, 0].astype(np.int64))
        given.append(np.full(len(rows), TEST if name == _CIFAR_FILES[-1] else UNSPLIT))
        progress("Looking at labels", len(labels), len(_CIFAR_FILES))
    if len(labels) != len(_CIFAR_FILES) or max(int(part.max()) for part in labels) >= len(THINGS):
        raise _not_cifar()
    total = sum(len(part) for part in labels)

    def batches(progress: Progress) -> Iterator[npt.NDArray[Any]]:
        done = 0
        for _, rows in _cifar_rows(archive):
            done += len(rows)
            progress("Writing pictures", done, total)
            yield rows[:, 1:].reshape(-1, 3, 32, 32)

    return Opened(
        task="image",
        classes=THINGS,
        labels=np.concatenate(labels),
        given=np.concatenate(given),
        shape=(3, 32, 32),
        batches=batches,
        features={"mode": "RGB", "range": [0, 255]},
        source={"kind": "built-in", "name": "cifar10"},
    )


def _cifar_rows(archive: Path) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """The batches as they stand in the archive. Nothing is unpacked to a path: members are only read."""
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                name = member.name.rpartition("/")[2]
                if not member.isreg() or name not in _CIFAR_FILES:
                    continue
                file = tar.extractfile(member)
                if file is None or member.size > _CIFAR_MOST or member.size % _CIFAR_ROW or not member.size:
                    raise _not_cifar()
                data = file.read(member.size)
                yield name, np.frombuffer(data, dtype=np.uint8).reshape(-1, _CIFAR_ROW)
    except _DAMAGE:
        raise _not_cifar() from None


def _not_cifar() -> BadInputError:
    return BadInputError("The archive of cifar10 does not hold its six batches.", "Remove it and try again.")


def open_adult(where: Path, progress: Progress) -> Table:
    """48,842 people of a census; whether they earn more than 50,000. Its own test rows stay the test rows."""
    need_polars()
    import polars as pl

    folder = downloads.fetch(ADULT, where, progress)
    rows: list[list[str]] = []
    counts = []
    for file in ADULT.files:
        with (folder / file.name).open(encoding="ascii", newline="") as lines:
            found = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) == len(_PEOPLE)]
        rows += found
        counts.append(len(found))
    findings: list[Finding] = []
    cells = dict(zip(_PEOPLE, zip(*rows, strict=True), strict=True))
    cells["income"] = tuple(word.removesuffix(".") for word in cells["income"])
    columns = [typed(name, pl.Series(part, dtype=pl.String), findings) for name, part in cells.items()]
    given = np.repeat(np.array([UNSPLIT, TEST], dtype=np.int8), counts)
    source = {"kind": "built-in", "name": "adult"}
    return Table(columns, source, target="income", given=given, findings=findings)
