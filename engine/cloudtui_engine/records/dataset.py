"""A version of a dataset: a manifest and its arrays, named by the manifest's hash."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_ON_A_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*:(?!//)[/~]")


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
    taken: Mapping[str, Any] = field(default_factory=dict)
    """Which state of a source in a store of objects it was made of: `objects`, `bytes`, and `etag` and
    `version` of a single one, or `listing` (a sha256) of a folder. Empty for other sources."""
    is_here: bool = field(default=True, compare=False)
    """False where it was read in place on a host, and only its manifest is on this machine."""

    @property
    def is_in_place(self) -> bool:
        """It was made on a host, of what lies there: its source is `box-1:/data/x`."""
        return _ON_A_HOST.match(self.source) is not None

    @property
    def only_on(self) -> str:
        """Where it lies where that is not here, in words; empty where it is here."""
        if self.is_here:
            return ""
        return f"only on {' and '.join(self.instances)}" if self.instances else "on no machine that is known"

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
