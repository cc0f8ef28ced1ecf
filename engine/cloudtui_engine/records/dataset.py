"""A version of a dataset: a manifest and its arrays, named by the manifest's hash."""

from __future__ import annotations

from collections.abc import Mapping
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
