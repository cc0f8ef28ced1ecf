"""Making a dataset version: from a source to a folder named by its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cloudtui_engine.data import archives, table_build
from cloudtui_engine.data.image_shards import write_images
from cloudtui_engine.data.manifest import FORMAT, SPLITS, Manifest
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.placing import making, place
from cloudtui_engine.data.sources import open_source
from cloudtui_engine.data.splits import assign
from cloudtui_engine.data.table_build import LEAST_ROWS
from cloudtui_engine.data.table_given import with_splits
from cloudtui_engine.data.tables import Table
from cloudtui_engine.errors import BadInputError, UsageError
from cloudtui_engine.sanitize import clean_line

TASKS = ("image", "tabular")
"""What can be prepared."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person said about the data, beyond where it is."""

    task: str | None = None
    """What it is for; None to see it from the source."""
    target: str = ""
    """The column to predict, by name or by number from 1; empty: what the source says, else the last."""
    header: bool | None = None
    """Whether the first line of a CSV file names the columns; None to see it."""
    leave_out: tuple[str, ...] = field(default_factory=tuple)
    """Columns that are not to be used, by name or by number from 1."""
    split_column: str = ""
    """The column that says which split a row is in, by name or by number from 1; empty: they are drawn."""
    seed: int = 0
    """Of the splits."""


def build_dataset(
    source: str,
    into: Path,
    *,
    name: str,
    wishes: Wishes | None = None,
    downloads: Path | None = None,
    on_progress: Progress | None = None,
) -> Manifest:
    """Read `source` and put its arrays and manifest at `into/<sha256>/`, whole or not at all.

    The same content under the same name gives the same sha256, and what is already there is left alone.

    Args:
        source: a built-in name, a file, a folder, or an archive of one of these.
        into: the folder of all dataset versions.
        name: of the dataset.
        wishes: the target, the task, the seed and so on.
        downloads: where fetched files are kept; None: beside `into`.
        on_progress: told what is being done, how many are done, and of how many (0: not known).

    Raises:
        BadInputError: the source cannot be used.
        UsageError: the wishes do not fit the source.
        UnreachableError: a file could not be fetched.
        FailedError: the disk is full.
    """
    wishes = wishes or Wishes()
    if wishes.task is not None and wishes.task not in TASKS:
        raise UsageError(
            f"Cannot prepare data for the task {clean_line(wishes.task)}.", f"Tasks: {', '.join(TASKS)}."
        )
    progress = on_progress or _quiet
    with archives.as_plain(source, into, progress) as plain:
        opened = open_source(
            plain, progress, downloads=downloads or into.parent / "downloads", header=wishes.header
        )
        return _build(opened, into, name, wishes, progress)


def _build(opened: Opened | Table, into: Path, name: str, wishes: Wishes, progress: Progress) -> Manifest:
    task = "tabular" if isinstance(opened, Table) else opened.task
    if wishes.task not in {None, task}:
        raise UsageError(f"This source is for the task {task}, not {wishes.task}.", "Leave out --task.")
    if isinstance(opened, Table):
        if wishes.split_column:
            opened = with_splits(opened, wishes.split_column)
        return table_build.build_table(
            opened, into, name=name, target=wishes.target, leave_out=wishes.leave_out, seed=wishes.seed
        )
    if wishes.target or wishes.leave_out or wishes.split_column:
        raise UsageError("Pictures have no columns.", "Leave out --target, --leave-out and --split-column.")
    return _build_images(opened, into, name, wishes.seed, progress)


def _build_images(opened: Opened, into: Path, name: str, seed: int, progress: Progress) -> Manifest:
    _check(opened)
    codes = assign(opened.labels, opened.given, seed=seed)
    empty = [split for code, split in enumerate(SPLITS) if not (codes == code).any()]
    if empty:
        raise BadInputError(
            f"Too few rows in each class to leave some for {' and '.join(empty)}.",
            "Add rows to the smaller classes.",
        )
    with making(into, len(codes) * int(np.prod(opened.shape))) as folder:
        data: dict[str, Any] = write_images(opened, codes, folder, progress)
        data |= {"format": FORMAT, "name": name, "task": opened.task, "classes": list(opened.classes)}
        data["input"] = {"shape": list(opened.shape), "dtype": "uint8"}
        data["source"] = {**opened.source, "rows": len(codes), "seed": seed}
        return place(folder, into, data)


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
