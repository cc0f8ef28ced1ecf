"""Single rows of a dataset version, for a screen: a picture, or the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.errors import BadInputError, NotFoundError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset
from cloudtui_features import tabular

Cells = dict[str, tabular.Cell]


def read_rows(
    paths: Paths, dataset: Dataset, split: str, indices: Sequence[int]
) -> list[npt.NDArray[Any]] | list[Cells]:
    """The raw inputs of some rows: arrays (channels, height, width) of pixels, or the cell of each column.

    Only the bytes of these rows are read.

    Raises:
        NotFoundError: the split or a row is not there, or the arrays lie only on a host.
        BadInputError: the arrays are not on this machine, or not what the manifest says.
    """
    x = _array(paths, dataset, split, "x")
    rows = _rows(x, split, indices)
    if dataset.task != "tabular":
        return list(rows)
    try:
        columns = tabular.decode(dataset.manifest["features"], rows)
    except ValueError as error:
        raise BadInputError(f"{dataset.name} is damaged: {error}.", "Add the dataset again.") from None
    return [{name: cells[place] for name, cells in columns.items()} for place in range(len(rows))]


def read_targets(paths: Paths, dataset: Dataset, split: str, indices: Sequence[int]) -> list[str | float]:
    """What is to be predicted of some rows: labels, or numbers.

    Raises:
        NotFoundError: the split or a row is not there, or the arrays lie only on a host.
        BadInputError: the arrays are not on this machine, or not what the manifest says.
    """
    chosen = _rows(_array(paths, dataset, split, "y"), split, indices)
    if not dataset.classes:
        return [float(value) for value in chosen]
    if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(dataset.classes):
        raise BadInputError(f"{dataset.name} is damaged: a class is unknown.", "Add the dataset again.")
    return [dataset.classes[int(value)] for value in chosen]


def class_balance(paths: Paths, dataset: Dataset) -> dict[str, dict[str, int]]:
    """Rows of each class in each split, in the order of the classes; empty where a number is predicted.

    Raises:
        NotFoundError: the arrays lie only on a host.
        BadInputError: the arrays are not on this machine, or not what the manifest says.
    """
    if not dataset.classes:
        return {}
    found: dict[str, dict[str, int]] = {}
    for split in dataset.manifest["splits"]:
        y = _array(paths, dataset, split, "y")
        if len(y) and not 0 <= int(y.min()) <= int(y.max()) < len(dataset.classes):
            raise BadInputError(f"{dataset.name} is damaged: a class is unknown.", "Add the dataset again.")
        counts = np.bincount(y, minlength=len(dataset.classes))
        found[split] = {label: int(count) for label, count in zip(dataset.classes, counts, strict=True)}
    return found


def _rows(array: npt.NDArray[Any], split: str, indices: Sequence[int]) -> npt.NDArray[Any]:
    beyond = [index for index in indices if not 0 <= index < len(array)]
    if beyond:
        raise NotFoundError(
            f"There is no row {beyond[0]} in {split}.", f"Rows count from 0; it has {len(array):,}."
        )
    return np.array(array[np.asarray(indices, dtype=np.int64)])


def _array(paths: Paths, dataset: Dataset, split: str, part: str) -> npt.NDArray[Any]:
    """A shard, mapped into memory and as large as its manifest says."""
    splits = dataset.manifest.get("splits", {})
    if split not in splits:
        raise NotFoundError(f"{dataset.name} has no split {split}.", f"There are: {', '.join(splits)}.")
    entry = splits[split]
    path = paths.data / dataset.sha256 / str(entry[part])
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r" if entry["rows"] else None, allow_pickle=False)
    except OSError as error:
        if dataset.only_on:
            raise NotFoundError(
                f"The rows of {dataset.name} v{dataset.version} lie {dataset.only_on}.",
                "They were read there in place and are not on this machine.",
            ) from None
        raise BadInputError(
            f"The arrays of {dataset.name} cannot be read here: {error.strerror or error}.",
            "Add the dataset again.",
        ) from None
    except (ValueError, EOFError):
        raise BadInputError(f"{path.name} of {dataset.name} is damaged.", "Add the dataset again.") from None
    if array.ndim == 0 or len(array) != entry["rows"]:
        raise BadInputError(f"{path.name} of {dataset.name} is damaged.", "Add the dataset again.")
    return array
