"""Adding a dataset to the catalog: a name, a source, and a version when the content is new."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudtui_engine.data.build import Wishes, build_dataset
from cloudtui_engine.data.manifest import FILE_NAME, Manifest
from cloudtui_engine.data.opened import Progress
from cloudtui_engine.errors import UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def add_dataset(
    catalog: Catalog,
    name: str,
    source: str,
    *,
    task: str | None = None,
    wishes: Wishes | None = None,
    on_progress: Progress | None = None,
    fetched_from: str = "",
    taken: Mapping[str, Any] | None = None,
) -> Dataset:
    """Prepare `source` and keep it as the next version of `name`; unchanged content is the version it was.

    Args:
        catalog: where it is kept; its home holds the arrays.
        name: letters, digits, dots, dashes and underscores.
        source: a built-in name, a file or a folder.
        task: what it is for; None to see it from the source.
        wishes: the target, the seed of the splits and so on; `task` goes before its own.
        on_progress: told what is being done, how many are done, and of how many (0: not known).
        fetched_from: where a person said it is, when `source` is a copy of that.
        taken: which state of it that was.

    Raises:
        UsageError: the name, the task or a column cannot be.
        BadInputError: the source cannot be used.
        UnreachableError: a built-in source must be fetched, and cannot be.
        FailedError: the disk is full.
    """
    check_name(name)
    wishes = wishes or Wishes()
    manifest = build_dataset(
        source,
        catalog.paths.data,
        name=name,
        wishes=replace(wishes, task=task) if task else wishes,
        downloads=catalog.paths.home / "downloads",
        on_progress=on_progress,
    )
    with catalog.write("dataset"):
        known = catalog.datasets.by_sha(manifest.sha256)
        return known or catalog.datasets.add(_record(catalog, manifest, fetched_from or source, taken or {}))


def is_name(name: str) -> bool:
    """Whether a dataset can be called so."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """See that a dataset can be called so.

    Raises:
        UsageError: it cannot.
    """
    if not is_name(name):
        raise UsageError(
            f"A dataset cannot be named {clean_line(name, 80)!r}.",
            "Use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first.",
        )


def _record(catalog: Catalog, manifest: Manifest, source: str, taken: Mapping[str, Any]) -> Dataset:
    folder = catalog.paths.data / manifest.sha256
    return Dataset(
        id=new_id(),
        name=manifest.name,
        version=catalog.datasets.next_version(manifest.name),
        task=manifest.task,
        sha256=manifest.sha256,
        size_bytes=manifest.size_bytes + (folder / FILE_NAME).stat().st_size,
        splits=manifest.splits,
        classes=manifest.classes,
        manifest=manifest.data,
        source=source,
        created_at=time.time(),
        taken=taken,
    )
