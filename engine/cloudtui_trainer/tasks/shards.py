"""A dataset version on this host: its manifest and the arrays of its splits, each held against the other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import cloudtui_features
from cloudtui_trainer.errors import DatasetError

AGAIN = "Push the dataset to this host again."


def read_manifest(folder: Path, task: str) -> tuple[dict[str, Any], str]:
    """The manifest of a dataset for `task`, and its sha256.

    Raises:
        DatasetError: it is missing, damaged, or of another task or format.
    """
    try:
        content = (folder / "manifest.json").read_bytes()
        manifest = json.loads(content)
        if manifest["format"] != 1 or manifest["task"] != task:
            raise DatasetError(f"{folder} does not hold data for the task {task} in a format known here.")
        cloudtui_features.check(manifest["features"])
    except OSError as error:
        raise DatasetError(f"Cannot read the dataset {folder}: {error.strerror}.", AGAIN) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"The manifest in {folder} is damaged: {error!r}.", AGAIN) from None
    return manifest, hashlib.sha256(content).hexdigest()


def read_arrays(
    folder: Path, entry: dict[str, Any], shape: tuple[int, ...], kinds: tuple[Any, Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The rows and targets of a split.

    Args:
        folder: of the dataset.
        entry: of the split in the manifest.
        shape: of a row.
        kinds: the types of rows and of targets.

    Raises:
        DatasetError: they cannot be read, or are not what the manifest says.
    """
    try:
        x = np.load(folder / entry["x"], mmap_mode="r", allow_pickle=False)
        y = np.load(folder / entry["y"], allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"Cannot read {folder / entry['x']}: {error}.", AGAIN) from None
    rows = entry["rows"]
    if (x.shape, x.dtype, y.shape, y.dtype) != ((rows, *shape), kinds[0], (rows,), kinds[1]):
        raise DatasetError(f"The arrays in {folder} are not what its manifest says.", AGAIN)
    return x, y
