"""Making a dataset version: from a source to a folder named by its content."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.manifest import FILE_NAME, FORMAT, SPLITS, Manifest, canonical, manifest_of
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.shards import ShardWriter
from cloudtui_engine.data.sources import open_source
from cloudtui_engine.data.splits import TRAIN, assign
from cloudtui_engine.errors import BadInputError, FailedError, UsageError
from cloudtui_engine.sanitize import clean_line

LEAST_ROWS = 10
TASKS = ("image",)
"""What can be prepared."""
_TEMPORARY = ".making-"
_MARGIN = 16 * 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def build_dataset(
    source: str,
    into: Path,
    *,
    name: str,
    task: str | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Manifest:
    """Read `source` and put its arrays and manifest at `into/<sha256>/`, whole or not at all.

    The same content under the same name gives the same sha256, and what is already there is left alone.

    Args:
        source: a built-in name, a file or a folder.
        into: the folder of all dataset versions.
        name: of the dataset.
        task: what it is for; None to see it from the source.
        seed: of the splits.
        on_progress: told what is being done, how many are done, and of how many.

    Raises:
        BadInputError: the source cannot be used.
        UsageError: the task is not one of those that can be prepared.
        FailedError: the disk is full.
    """
    if task is not None and task not in TASKS:
        raise UsageError(
            f"Cannot prepare data for the task {clean_line(task)}.", f"Tasks: {', '.join(TASKS)}."
        )
    progress = on_progress or _quiet
    opened = open_source(source, progress)
    _check(opened)
    codes = assign(opened.labels, opened.given, seed=seed)
    empty = [split for code, split in enumerate(SPLITS) if not (codes == code).any()]
    if empty:
        raise BadInputError(
            f"Too few rows in each class to leave some for {' and '.join(empty)}.",
            "Add rows to the smaller classes.",
        )
    with _room(into, len(codes) * int(np.prod(opened.shape))), _temporary(into) as folder:
        data = _write(opened, codes, folder, progress)
        data |= {"format": FORMAT, "name": name, "task": opened.task, "classes": list(opened.classes)}
        data["input"] = {"shape": list(opened.shape), "dtype": "uint8"}
        data["source"] = {**opened.source, "rows": len(codes), "seed": seed}
        manifest = manifest_of(data)
        _durable(folder / FILE_NAME, canonical(data))
        _place(folder, into / manifest.sha256)
    return manifest


def _quiet(_text: str, _done: int, _total: int) -> None:
    """No one asked."""


def _check(opened: Opened) -> None:
    if len(opened.labels) < LEAST_ROWS:
        raise BadInputError(
            f"There are only {len(opened.labels)} rows: too few to train and test on.",
            f"{LEAST_ROWS} is the least.",
        )
    if len(opened.classes) < 2:
        raise BadInputError(
            f"There is only one class, {opened.classes[0]}: nothing can be learned from it.",
            "Give at least two class folders.",
        )


def _write(opened: Opened, codes: npt.NDArray[Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Write the arrays in one pass over the source; returns the manifest's splits, files and features."""
    moments = Moments(opened.shape[0])
    splits: dict[str, Any] = {}
    with ExitStack() as stack:
        writers: list[tuple[ShardWriter, ShardWriter]] = []
        for code, split in enumerate(SPLITS):
            rows = int((codes == code).sum())
            x = ShardWriter(folder / f"{split}-x.npy", (rows, *opened.shape), np.uint8)
            y = ShardWriter(folder / f"{split}-y.npy", (rows,), np.int64)
            writers.append((stack.enter_context(x), stack.enter_context(y)))
            splits[split] = {"rows": rows, "x": x.path.name, "y": y.path.name}
        done = 0
        for batch in opened.batches(progress):
            part = slice(done, done + len(batch))
            for code, (x, y) in enumerate(writers):
                chosen = codes[part] == code
                x.append(batch[chosen])
                y.append(opened.labels[part][chosen])
            moments.add(batch[codes[part] == TRAIN])
            done += len(batch)
        files = {writer.path.name: dict(writer.finish()) for pair in writers for writer in pair}
    features = {**opened.features, "kind": "image", "shape": list(opened.shape), **moments.fitted()}
    return {"splits": splits, "files": files, "features": features}


class Moments:
    """Mean and deviation of each channel over batches of bytes, in whole numbers until the end."""

    def __init__(self, channels: int) -> None:
        self._levels = np.zeros((channels, 256), dtype=np.int64)

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Count the rows in."""
        for channel, counts in enumerate(self._levels):
            counts += np.bincount(rows[:, channel].ravel(), minlength=256)

    def fitted(self) -> Mapping[str, list[float]]:
        """`mean` and `std`; a channel that never changes has std 1, so that dividing by it is harmless."""
        level = np.arange(256)
        pixels = self._levels.sum(axis=1)
        mean = (self._levels * level).sum(axis=1) / pixels
        variance = (self._levels * (level - mean[:, None]) ** 2).sum(axis=1) / pixels
        std = np.sqrt(variance)
        return {"mean": mean.tolist(), "std": np.where(std > 0, std, 1.0).tolist()}


@contextmanager
def _room(into: Path, needed: int) -> Iterator[None]:
    """Refuse before writing where the disk is too small, and say so where it fills up on the way."""
    try:
        into.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(into).free
        if free < needed + _MARGIN:
            raise _full(into, needed)
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(into, needed) from None
        raise FailedError(
            f"Cannot write to {clean_line(str(into))}: {error.strerror or error}.",
            "Choose another home with --home.",
        ) from None


def _full(into: Path, needed: int) -> FailedError:
    return FailedError(
        f"The disk of {clean_line(str(into))} is full: the dataset takes {needed / 1e6:,.1f} MB.",
        "Free some space, or choose another home with --home. Nothing was left behind.",
    )


@contextmanager
def _temporary(into: Path) -> Iterator[Path]:
    """A folder beside the target; gone at the end unless it was renamed. Those of the dead are swept."""
    for old in into.glob(f"{_TEMPORARY}*"):
        owner = re.match(r"(\d+)-", old.name.removeprefix(_TEMPORARY))
        if owner and not _lives(int(owner[1])):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{os.getpid()}-", dir=into))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _durable(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _place(folder: Path, target: Path) -> None:
    """Rename into place; where the same content already lies whole, keep that."""
    if (target / FILE_NAME).is_file():
        return
    folder.chmod(0o755)
    folder.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
