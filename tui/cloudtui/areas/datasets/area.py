"""The area of datasets."""

from __future__ import annotations

from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.areas.area import Area
from cloudtui.areas.datasets.detail import DatasetDetail
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line


class DatasetsArea(Area):
    """All dataset versions, newest first, and what is in one of them."""

    ID = "datasets"
    NOUN = "dataset"
    TITLE = "Datasets"
    COLUMNS = (
        Column("Name", 16, share=2),
        Column("Version", 7, "right"),
        Column("Task", 8, rank=2),
        Column("Predicts", 14, rank=3, share=1),
        Column("Train", 9, "right"),
        Column("Validation", 10, "right", rank=5),
        Column("Test", 9, "right", rank=1),
        Column("Size", 8, "right", rank=6),
        Column("To know", 7, "right", rank=4),
        Column("Copies on", 12, share=1, rank=7),
    )
    TOPICS: ClassVar[frozenset[str]] = frozenset({"dataset"})
    EMPTY = (
        "No datasets yet",
        "A dataset is read once into arrays of a fixed version; runs on any machine share it.",
        "+ add a dataset (digits is built in)",
    )

    def make_detail(self) -> Detail:
        """Tabs of one version."""
        return DatasetDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All versions whose name holds the filter, with manifests: those tell of columns and findings."""
        datasets = bridge.catalog.datasets
        named = [one for one in datasets.list() if request.filter.lower() in one.name.lower()]
        found = [datasets.get(one.id) for one in named]
        return Listing(found, 0, len(found))

    def row(self, record: Dataset, now: float) -> Row:  # noqa: ARG002 - a version has no age
        """A version as cells."""
        rows = record.splits
        known = len(record.findings)
        return Row(
            record.id,
            (
                (clean_line(record.name, 80), ""),
                (str(record.version), ""),
                (clean_line(record.task, 12), "muted"),
                (predicts(record), "muted"),
                *((fmt.count(rows.get(split)), "") for split in ("train", "validation", "test")),
                (fmt.size(record.size_bytes), "muted"),
                (str(known) if known else fmt.MISSING, "warn" if known else "muted"),
                (clean_line(record.only_on or ", ".join(record.instances), 60) or fmt.MISSING, "muted"),
            ),
        )


def predicts(dataset: Dataset) -> str:
    """`10 classes`, or the column of a table."""
    name = clean_line(str(dataset.target.get("name") or ""), 40)
    classes = f"{len(dataset.classes)} classes" if dataset.classes else "a number"
    if not name:
        return classes if dataset.classes else fmt.MISSING
    return f"{name}, {classes}"
