"""The manifest of a dataset version: what its arrays are, and the hash that names it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.errors import BadInputError

FORMAT = 1
SPLITS = ("train", "validation", "test")
FILE_NAME = "manifest.json"
LIMIT = 64 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked manifest. `data` is the JSON as engine/DESIGN.md has it."""

    data: Mapping[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        """The dataset's name when it was added."""
        return str(self.data["name"])

    @property
    def task(self) -> str:
        """What it is for: image, ..."""
        return str(self.data["task"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of their numbers."""
        return tuple(self.data["classes"])

    @property
    def splits(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: int(split["rows"]) for name, split in self.data["splits"].items()}

    @property
    def size_bytes(self) -> int:
        """Bytes of the arrays."""
        return sum(int(file["size"]) for file in self.data["files"].values())


def canonical(data: Mapping[str, Any]) -> bytes:
    """The one way to write a manifest: its sha256 names the version."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def manifest_of(data: Mapping[str, Any]) -> Manifest:
    """The manifest with its name."""
    return Manifest(data, hashlib.sha256(canonical(data)).hexdigest())


def load_manifest(folder: Path) -> Manifest:
    """Read and check the manifest in `folder`, but not the arrays beside it.

    Raises:
        BadInputError: it is missing, unreadable or not a manifest of this format.
    """
    return read_manifest(folder / FILE_NAME)


def read_manifest(path: Path) -> Manifest:
    """Read and check one manifest, wherever it lies.

    Raises:
        BadInputError: as `load_manifest`.
    """
    try:
        if path.stat().st_size > LIMIT:
            raise BadInputError(f"{path} is too large for a manifest.", "Add the dataset again.")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"Cannot read {path}: {error.strerror}.", "Add the dataset again.") from None
    except (ValueError, RecursionError):
        raise BadInputError(f"{path} is damaged: it is not JSON.", "Add the dataset again.") from None
    if not _is_manifest(data):
        raise BadInputError(
            f"{path} is not a manifest of format {FORMAT}.",
            "It may come from a newer cloudtui; otherwise add the dataset again.",
        )
    return manifest_of(data)


def verify(folder: Path) -> Manifest:
    """Read the manifest in `folder` and hash every array beside it.

    Raises:
        BadInputError: a file is missing or differs; the message names the first one.
    """
    manifest = load_manifest(folder)
    for name, file in manifest.data["files"].items():
        path = folder / name
        try:
            found = file_hash(path)
        except OSError as error:
            raise BadInputError(f"Cannot read {path}: {error.strerror}.", "Add the dataset again.") from None
        if found != file["sha256"]:
            raise BadInputError(f"{path} differs from its manifest.", "Add the dataset again.")
    return manifest


def file_hash(path: Path) -> str:
    """The sha256 of a file, read in pieces: `hashlib.file_digest` is of 3.11, and hosts may have 3.10."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _is_manifest(data: object) -> bool:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        return False
    kinds = {
        "name": str,
        "task": str,
        "classes": list,
        "input": dict,
        "splits": dict,
        "features": dict,
        "files": dict,
    }
    if not all(isinstance(data.get(key), kind) for key, kind in kinds.items()):
        return False
    files = data["files"]
    return (
        set(SPLITS) <= set(data["splits"])
        and all(_is_split(split, files) for split in data["splits"].values())
        and all(_is_file(name, file) for name, file in files.items())
        and all(isinstance(label, str) for label in data["classes"])
    )


def _is_split(split: object, files: Mapping[str, Any]) -> bool:
    return (
        isinstance(split, dict)
        and isinstance(split.get("rows"), int)
        and split["rows"] >= 0
        and split.get("x") in files
        and split.get("y") in files
    )


def _is_file(name: str, file: object) -> bool:
    plain = (
        bool(name) and "/" not in name and "\\" not in name and "\0" not in name and not name.startswith(".")
    )
    return (
        plain
        and isinstance(file, dict)
        and isinstance(file.get("size"), int)
        and isinstance(file.get("sha256"), str)
    )
