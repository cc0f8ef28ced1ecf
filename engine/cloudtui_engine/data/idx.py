"""Images in idx files, as MNIST and its relatives come."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.splits import TEST, TRAIN, UNSPLIT, VALIDATION
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

_IMAGES = re.compile(r"^(?P<set>.*?)images(?P<mark>[-.])idx3-ubyte(?P<gz>\.gz)?$", re.IGNORECASE)
_LABELS = re.compile(r"^(?P<set>.*?)labels[-.]idx1-ubyte(\.gz)?$", re.IGNORECASE)
_SETS = {
    "train": TRAIN,
    "t10k": TEST,
    "test": TEST,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
}
_IMAGE_MAGIC, _LABEL_MAGIC = 0x0803, 0x0801
_BATCH = 4096
_HINT = (
    "Fetch or unpack the file again; idx files come in pairs like train-images-idx3-ubyte and "
    "train-labels-idx1-ubyte."
)
_DAMAGE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class _Pair:
    images: Path
    labels: npt.NDArray[Any]
    height: int
    width: int
    split: int


def is_images(name: str) -> bool:
    """The name is that of an idx file of images."""
    return bool(_IMAGES.match(name))


def is_labels(name: str) -> bool:
    """The name is that of an idx file of labels."""
    return bool(_LABELS.match(name))


def images_in(folder: Path) -> list[Path]:
    """The idx files of images in a folder; of a file that is there packed and unpacked, the unpacked one."""
    try:
        found = sorted(path for path in folder.iterdir() if is_images(path.name))
    except OSError as error:
        raise BadInputError(f"Cannot read {clean_line(str(folder))}: {error.strerror}.") from None
    plain = {path.name for path in found}
    return [path for path in found if path.name.removesuffix(".gz") not in plain - {path.name}]


def open_idx(path: Path) -> Opened:
    """Look at a folder of idx files, or at one file of images and the labels beside it.

    A train and a test pair keep their split; one pair alone is split.

    Raises:
        BadInputError: a file is missing, cut off or not what its name says.
    """
    files = images_in(path) if path.is_dir() else [path]
    pairs = [_pair(file, alone=len(files) == 1) for file in files]
    if len(pairs) > 1 and sorted(pair.split for pair in pairs) not in _SPLITTINGS:
        names = ", ".join(clean_line(file.name) for file in files)
        raise BadInputError(
            f"Cannot tell train from test: {names}.", "Give one of the files instead of the folder."
        )
    sizes = {(pair.height, pair.width) for pair in pairs}
    if len(sizes) > 1:
        raise BadInputError(f"The images of {clean_line(str(path))} differ in size: {sorted(sizes)}.", _HINT)
    labels = np.concatenate([pair.labels for pair in pairs])
    values, numbers = np.unique(labels, return_inverse=True)
    height, width = sizes.pop()
    return Opened(
        task="image",
        classes=tuple(str(value) for value in values),
        labels=numbers,
        given=np.concatenate(
            [np.full(len(pair.labels), UNSPLIT if pair.split == TRAIN else pair.split) for pair in pairs]
        ),
        shape=(1, height, width),
        batches=lambda progress: _batches(pairs, len(labels), progress),
        features={"mode": "L", "range": [0, 255]},
        source={"kind": "idx", "files": [file.name.removesuffix(".gz") for file in files]},
    )


_SPLITTINGS = ([TRAIN, TEST], [TRAIN, VALIDATION, TEST], [TRAIN, VALIDATION])


def _pair(images: Path, *, alone: bool) -> _Pair:
    match = cast("re.Match[str]", _IMAGES.match(images.name))
    labels_path = _labels_of(images, match["set"])
    with _opened(images) as file:
        count, height, width = _header(file, images, _IMAGE_MAGIC, 3)
    with _opened(labels_path) as file:
        (rows,) = _header(file, labels_path, _LABEL_MAGIC, 1)
        labels = np.frombuffer(_exactly(file, rows, labels_path), dtype=np.uint8)
    if count != rows:
        raise BadInputError(
            f"{_shown(images)} has {count} images and {_shown(labels_path)} has {rows} labels.", _HINT
        )
    words = re.split(r"[^a-z0-9]+", match["set"].lower())
    split = next((_SETS[word] for word in reversed(words) if word in _SETS), UNSPLIT)
    return _Pair(images, labels, height, width, UNSPLIT if alone else split)


def _labels_of(images: Path, name: str) -> Path:
    for path in sorted(images.parent.iterdir()):
        match = _LABELS.match(path.name)
        if match and match["set"] == name:
            return path
    raise BadInputError(
        f"There are no labels beside {_shown(images)}.", f"Put {name}labels-idx1-ubyte beside it."
    )


def _opened(path: Path) -> IO[bytes]:
    try:
        return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise BadInputError(f"Cannot read {_shown(path)}: {error.strerror or error}.", _HINT) from None


def _header(file: IO[bytes], path: Path, magic: int, numbers: int) -> tuple[int, ...]:
    found, *sizes = struct.unpack(f">{1 + numbers}I", _exactly(file, 4 + 4 * numbers, path))
    if found != magic:
        raise BadInputError(f"{_shown(path)} is not an idx file of {numbers} dimension(s) of bytes.", _HINT)
    return tuple(sizes)


def _exactly(file: IO[bytes], size: int, path: Path) -> bytes:
    try:
        data = file.read(size)
    except _DAMAGE as error:
        raise BadInputError(f"{_shown(path)} is damaged: {clean_line(str(error))}.", _HINT) from None
    if len(data) != size:
        raise BadInputError(f"{_shown(path)} is cut off.", _HINT)
    return data


def _batches(pairs: list[_Pair], total: int, progress: Progress) -> Iterator[npt.NDArray[Any]]:
    done = 0
    for pair in pairs:
        pixels = pair.height * pair.width
        with _opened(pair.images) as file:
            _header(file, pair.images, _IMAGE_MAGIC, 3)
            for start in range(0, len(pair.labels), _BATCH):
                rows = min(_BATCH, len(pair.labels) - start)
                data = np.frombuffer(_exactly(file, rows * pixels, pair.images), dtype=np.uint8)
                done += rows
                progress("Writing pictures", done, total)
                yield data.reshape(rows, 1, pair.height, pair.width)


def _shown(path: Path) -> str:
    return clean_line(path.name)
