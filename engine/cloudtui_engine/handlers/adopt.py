"""A dataset version that was made on a host becomes known here, by its manifest alone."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from cloudtui_engine.data.add import is_name
from cloudtui_engine.data.build import TASKS
from cloudtui_engine.data.manifest import Manifest, canonical, read_manifest
from cloudtui_engine.errors import BadInputError, FailedError
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.run import Artifact, Run
from cloudtui_engine.runs.preparing import MANIFEST
from cloudtui_engine.sanitize import clean_line
from cloudtui_features import tabular

MOST = (1 << 53) - 1
"""Rows and bytes beyond this are no numbers that a file could have."""


def adopt(context: Context, run: Run, number: int) -> Dataset | None:
    """Keep the version that an attempt made on its host, and that it lies there; None where it made none.

    Doing it again changes nothing.

    Raises:
        FailedError: what the host sent is no manifest, or not one of what was asked for.
    """
    catalog = context.catalog
    files = catalog.runs.artifacts(run.id, number)
    file = next((one for one in files if one.name == MANIFEST and one.local), None)
    if file is None:
        return None
    manifest = _checked(run, file)
    instance = catalog.instances.get(catalog.runs.attempt(run.id, number).instance_id)
    with catalog.write("dataset", "run"):
        known = catalog.datasets.by_sha(manifest.sha256)
        dataset = known or catalog.datasets.add(
            Dataset(
                id=new_id(),
                name=manifest.name,
                version=catalog.datasets.next_version(manifest.name),
                task=manifest.task,
                sha256=manifest.sha256,
                size_bytes=manifest.size_bytes + file.size_bytes,
                splits=manifest.splits,
                classes=manifest.classes,
                manifest=manifest.data,
                source=f"{instance.name}:{clean_line(str(run.spec.get('source')), 1000)}",
                created_at=time.time(),
            )
        )
        catalog.datasets.add_copy(dataset.id, instance.id, time.time())
    return catalog.datasets.get(dataset.id)


def _checked(run: Run, file: Artifact) -> Manifest:
    """The manifest in the file.

    Raises:
        FailedError: the host lies, or something else answers there.
    """
    try:
        manifest = read_manifest(Path(file.local or ""))
        is_named_by_it = manifest.sha256 == file.sha256
        _check(manifest)
    except (BadInputError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _unusable(run, clean_line(str(error), 200)) from None
    if not is_named_by_it:
        raise _unusable(run, "it is not written as manifests are")
    if manifest.name != run.spec.get("as") or not is_name(manifest.name):
        raise _unusable(run, "it is of another dataset")
    return manifest


def _check(manifest: Manifest) -> None:
    """What `read_manifest` leaves to those who wrote it themselves.

    Raises:
        ValueError: it cannot be kept, or shown.
    """
    data = manifest.data
    json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair can be in no text of ours
    canonical(data)
    if manifest.task not in TASKS:
        raise ValueError(f"its task is {manifest.task}")
    sizes = [one["size"] for one in data["files"].values()] + [one["rows"] for one in data["splits"].values()]
    if not all(type(size) is int and 0 <= size <= MOST for size in [*sizes, sum(sizes)]):
        raise ValueError("a size in it is none")
    if manifest.task == "tabular":
        tabular.check(data["features"])
        _check_columns(data)


def _check_columns(data: dict[str, Any] | Any) -> None:
    shape = data["input"]["shape"]
    if shape != [len(data["columns"])] or len(data["features"]["columns"]) != len(data["columns"]):
        raise ValueError("its columns are not those of its arrays")


def _unusable(run: Run, why: str) -> FailedError:
    return FailedError(
        f"What {run.name} left on its host is no manifest that can be used: {why}.",
        "Is something else answering there? Add it again once that is known.",
        code="bad_manifest",
    )
