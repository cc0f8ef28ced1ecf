"""A version of a dataset: a manifest and its arrays, named by the manifest's hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Dataset:
    """One immutable version of a dataset."""

    id: str
    name: str
    version: int
    task: str
    """image, text, tabular or ratings."""
    sha256: str
    size_bytes: int
    splits: Mapping[str, int]
    """Rows of train, validation and test."""
    classes: tuple[str, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    created_at: float = 0.0
    instances: tuple[str, ...] = ()
    """Names of the instances that hold a verified copy."""

    @property
    def target(self) -> Mapping[str, Any]:
        """The predicted column, `name` and `kind` (classes, number); empty where there are no columns."""
        found = self.manifest.get("target")
        return found if isinstance(found, Mapping) else {}

    @property
    def columns(self) -> Sequence[Mapping[str, Any]]:
        """The inputs of a table: `name`, `kind`, `type`, share `missing`, how many are `distinct`."""
        return self._described("columns")

    @property
    def left_out(self) -> Sequence[Mapping[str, Any]]:
        """Columns that are no inputs: `name` and `why`."""
        return self._described("left_out")

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        """What a person should know of the data: `code`, `column` (or empty) and `text`."""
        return self._described("findings")

    def _described(self, key: str) -> Sequence[Mapping[str, Any]]:
        found = self.manifest.get(key)
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
