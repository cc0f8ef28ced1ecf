"""A folder of pictures: one sub-folder a class, at will below train, validation and test."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data import pictures
from cloudtui_engine.data.names import by_number
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.splits import NAMES, TRAIN, UNSPLIT
from cloudtui_engine.data.tables import Finding
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

LARGEST_SIDE = 64
"""Pictures that differ in size are made square, at most so wide."""
SMALLEST_SIDE = 4

_BATCH = 256
_LAYOUT = "Make one sub-folder a class, or train, validation and test folders of those."


@dataclass(frozen=True, slots=True)
class _Picture:
    path: Path
    label: str
    split: int


def open_folder(folder: Path, progress: Progress) -> Opened:
    """List the pictures below `folder` and look at the header of each.

    Raises:
        BadInputError: no classes, an empty class, a file that is no picture, or a class only to test on.
    """
    pictures.need_pillow()
    found = _listed(folder)
    classes = sorted({picture.label for picture in found if picture.split in {TRAIN, UNSPLIT}}, key=by_number)
    unknown = next((picture for picture in found if picture.label not in classes), None)
    if unknown:
        raise BadInputError(f"The class {unknown.label} has no pictures to train on.", _LAYOUT)
    looks = _look_at(folder, found, progress)
    mode = "L" if all(look.is_grey for look in looks) else "RGB"
    size = _common_size(looks)
    if min(size) < SMALLEST_SIDE:
        raise BadInputError(
            f"The pictures are {size[0]} x {size[1]} pixels: too small.", f"{SMALLEST_SIDE} is the least."
        )
    number = {label: index for index, label in enumerate(classes)}
    findings = _mixed(looks, mode, size)
    return Opened(
        task="image",
        classes=tuple(classes),
        labels=np.array([number[picture.label] for picture in found]),
        given=np.array([UNSPLIT if picture.split == TRAIN else picture.split for picture in found]),
        shape=(1 if mode == "L" else 3, size[1], size[0]),
        batches=lambda progress: _batches(folder, found, mode, size, progress),
        findings=findings,
        features={"mode": mode, "range": [0, 255], "resize": "centre-crop", "transparent": "white"},
        source={"kind": "folder"},
    )


def _listed(folder: Path) -> list[_Picture]:
    parts = _folders(folder)
    sets = {part: NAMES[part.name.lower()] for part in parts if part.name.lower() in NAMES}
    if TRAIN in sets.values() and len(sets) == len(parts) > 1:
        found = [picture for part, split in sets.items() for picture in _classes(part, split)]
    else:
        found = _classes(folder, UNSPLIT)
    if not found:
        loose = any(path.suffix.lower() in pictures.SUFFIXES for path in folder.iterdir())
        why = "its pictures lie in no class folder" if loose else "it has no class folders"
        raise BadInputError(f"Cannot use {clean_line(str(folder))}: {why}.", _LAYOUT)
    return found


def _classes(folder: Path, split: int) -> list[_Picture]:
    found: list[_Picture] = []
    for part in _folders(folder):
        label = clean_line(unicodedata.normalize("NFC", part.name), 100)
        files = sorted(_files(part))
        if not files:
            raise BadInputError(
                f"The class folder {clean_line(str(part))} has no pictures.",
                f"Put pictures there ({', '.join(sorted(pictures.SUFFIXES))}) or remove the folder.",
            )
        found += [_Picture(path, label, split) for path in files]
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise BadInputError(f"Cannot read the folder {clean_line(str(folder))}: {error.strerror}.") from None


def _files(folder: Path) -> Iterator[Path]:
    """Picture files at any depth. Links are followed, a folder is entered once."""
    entered: set[tuple[int, int]] = set()
    for here, below, names in os.walk(folder, followlinks=True, onerror=_unreadable):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in entered:
            below.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in pictures.SUFFIXES and not name.startswith("."):
                yield Path(here, name)


def _unreadable(error: OSError) -> None:
    raise BadInputError(f"Cannot read the folder {clean_line(str(error.filename))}: {error.strerror}.")


def _look_at(folder: Path, found: Sequence[_Picture], progress: Progress) -> list[pictures.Look]:
    looks: list[pictures.Look] = []
    bad: list[tuple[Path, str]] = []
    for done, picture in enumerate(found, 1):
        try:
            looks.append(pictures.look(picture.path))
        except pictures.UnreadablePicture as error:
            bad.append((picture.path, str(error)))
        if done % _BATCH == 0 or done == len(found):
            progress("Looking at pictures", done, len(found))
    _complain(folder, bad)
    return looks


def _common_size(looks: Sequence[pictures.Look]) -> tuple[int, int]:
    """Width and height: as they are where all agree and are small, else a square of the median short side."""
    sizes = {(look.width, look.height) for look in looks}
    first = next(iter(sizes))
    if len(sizes) == 1 and max(first) <= LARGEST_SIDE:
        return first
    side = min(LARGEST_SIDE, int(median(min(look.width, look.height) for look in looks)))
    return side, side


def _mixed(looks: Sequence[pictures.Look], mode: str, size: tuple[int, int]) -> list[Finding]:
    """That pictures differ in size or colours, and what is done about it."""
    found = []
    sizes = {(look.width, look.height) for look in looks}
    if len(sizes) > 1:
        text = (
            f"The pictures have {len(sizes):,} different sizes; all are cropped at the centre and resized to "
            f"{size[0]} x {size[1]}."
        )
        found.append(Finding("mixed_sizes", text))
    grey = sum(look.is_grey for look in looks)
    if mode == "RGB" and grey:
        text = f"{grey:,} of {len(looks):,} pictures are grey; all are taken as pictures in colour."
        found.append(Finding("mixed_modes", text))
    return found


def _batches(
    folder: Path, found: Sequence[_Picture], mode: str, size: tuple[int, int], progress: Progress
) -> Iterator[npt.NDArray[Any]]:
    bad: list[tuple[Path, str]] = []

    def read(picture: _Picture) -> npt.NDArray[np.uint8] | None:
        try:
            return pictures.decode(picture.path, mode, size)
        except pictures.UnreadablePicture as error:
            bad.append((picture.path, str(error)))
            return None

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(found), _BATCH):
            part = found[start : start + _BATCH]
            with warnings.catch_warnings():  # here and not in the threads: its state is the process's
                warnings.simplefilter("ignore")
                rows = [row for row in pool.map(read, part) if row is not None]
            progress("Reading pictures", start + len(part), len(found))
            if not bad:
                yield np.stack(rows)
    _complain(folder, bad)


def _complain(folder: Path, bad: Sequence[tuple[Path, str]]) -> None:
    """Name the first bad file, and how many more there are."""
    if not bad:
        return
    path, why = min(bad)
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    raise BadInputError(
        f"Cannot read the picture {clean_line(str(path.relative_to(folder)))} ({why}){more}.",
        "Remove or replace what cannot be read, then add the folder again.",
    )
