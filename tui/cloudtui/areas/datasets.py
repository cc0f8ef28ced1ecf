"""The area of datasets."""

from __future__ import annotations

from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.areas.area import Area
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.sheet import SheetDetail
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line


class DatasetsArea(Area):
    """All dataset versions, newest first."""

    ID = "datasets"
    NOUN = "dataset"
    TITLE = "Datasets"
    COLUMNS = (
        Column("Name", 16, share=2),
        Column("Version", 7, "right"),
        Column("Task", 8, rank=2),
        Column("Train", 9, "right"),
        Column("Validation", 10, "right", rank=4),
        Column("Test", 9, "right", rank=1),
        Column("Classes", 7, "right", rank=3),
        Column("Size", 8, "right", rank=5),
        Column("Copies on", 14, share=1, rank=6),
    )
    TOPICS: ClassVar[frozenset[str]] = frozenset({"dataset"})
    EMPTY = (
        "No datasets yet",
        "A dataset is read once into arrays of a fixed version; runs on any machine share it.",
        "+ add a dataset (digits is built in)",
    )

    def make_detail(self) -> Detail:
        """A sheet of facts."""
        return SheetDetail(dataset_facts)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All versions whose name holds the filter."""
        found = [d for d in bridge.catalog.datasets.list() if request.filter.lower() in d.name.lower()]
        return Listing(found, 0, len(found))

    def row(self, record: Dataset, now: float) -> Row:  # noqa: ARG002 - a version has no age
        """A version as cells."""
        rows = record.splits
        return Row(
            record.id,
            (
                (clean_line(record.name, 80), ""),
                (str(record.version), ""),
                (clean_line(record.task, 12), "muted"),
                *((fmt.count(rows.get(split)), "") for split in ("train", "validation", "test")),
                (str(len(record.classes)) if record.classes else fmt.MISSING, ""),
                (fmt.size(record.size_bytes), "muted"),
                (clean_line(", ".join(record.instances), 60) or fmt.MISSING, "muted"),
            ),
        )


def dataset_facts(dataset: Dataset) -> list[Fact]:
    """All that is known of a dataset version."""
    facts = [
        Fact("Dataset", style="heading"),
        Fact("name", clean_line(f"{dataset.name}@{dataset.version}")),
        Fact("task", clean_line(dataset.task)),
        Fact("source", clean_line(dataset.source, 200) or fmt.MISSING),
        Fact("added", fmt.moment(dataset.created_at)),
        Fact("size", fmt.size(dataset.size_bytes)),
        Fact("SHA-256", dataset.sha256, "muted"),
        Fact("Rows", style="heading"),
    ]
    facts += [Fact(clean_line(name, 20), fmt.count(rows)) for name, rows in dataset.splits.items()]
    if dataset.classes:
        facts.append(Fact("Classes", style="heading"))
        facts.append(Fact(str(len(dataset.classes)), clean_line(", ".join(dataset.classes), 600)))
    facts.append(Fact("Copies", style="heading"))
    facts.append(Fact("on", clean_line(", ".join(dataset.instances), 300) or "this machine alone"))
    return facts
