"""Datasets: from a source to an immutable version named by its content."""

from cloudtui_engine.data.add import add_dataset, check_name
from cloudtui_engine.data.build import Wishes, build_dataset
from cloudtui_engine.data.manifest import Manifest, load_manifest, verify
from cloudtui_engine.data.rows import class_balance, read_rows, read_targets
from cloudtui_engine.data.sources import BUILT_IN

__all__ = [
    "BUILT_IN",
    "Manifest",
    "Wishes",
    "add_dataset",
    "build_dataset",
    "check_name",
    "class_balance",
    "load_manifest",
    "read_rows",
    "read_targets",
    "verify",
]
