"""The about tab: what a dataset version is, and what a person should know of it."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.datasets.detail import DatasetTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Fact, Facts
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line


class AboutTab(DatasetTab):
    """A sheet of facts."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.facts = Facts()

    def load(self) -> None:
        """All of it is the record's."""
        if self.dataset is not None:
            self.facts.show(dataset_facts(self.dataset))


def dataset_facts(dataset: Dataset) -> list[Fact]:
    """All that is known of a dataset version."""
    facts: list[Fact] = []
    if dataset.findings:
        facts.append(Fact("To know", style="heading"))
        facts += [
            Fact(
                clean_line(str(one.get("column") or ""), 24),
                clean_line(str(one.get("text") or ""), 300),
                "warn",
            )
            for one in dataset.findings
        ]
    facts += [
        Fact("Dataset", style="heading"),
        Fact("task", clean_line(dataset.task)),
        *_target(dataset),
        Fact("source", clean_line(dataset.source, 200) or fmt.MISSING),
        *([Fact("taken", fmt.taken(dataset.taken), "muted")] if dataset.taken else []),
        Fact("added", fmt.moment(dataset.created_at)),
        Fact("on", clean_line(dataset.only_on or ", ".join(["this machine", *dataset.instances]), 300)),
        Fact("SHA-256", dataset.sha256, "muted"),
        Fact("Rows", style="heading"),
    ]
    facts += [Fact(clean_line(name, 20), fmt.count(rows)) for name, rows in dataset.splits.items()]
    if dataset.left_out:
        facts.append(Fact("Columns that are not used", style="heading"))
        facts += [
            Fact(clean_line(str(one.get("name")), 24), clean_line(str(one.get("why") or ""), 200))
            for one in dataset.left_out
        ]
    return facts


def _target(dataset: Dataset) -> list[Fact]:
    facts = []
    if dataset.target:
        kind = "one of its classes" if dataset.target.get("kind") == "classes" else "a number"
        facts.append(Fact("target", f"{clean_line(str(dataset.target.get('name')), 60)}, {kind}"))
    if dataset.classes:
        names = clean_line(", ".join(map(str, dataset.classes)), 400)
        facts.append(Fact("classes", f"{len(dataset.classes)}: {names}"))
    shape = dataset.manifest.get("input", {})
    if isinstance(shape, dict) and isinstance(shape.get("shape"), list):
        size = " x ".join(str(one) for one in shape["shape"])
        facts.append(Fact("input", clean_line(f"{size}  {shape.get('dtype', '')}", 60)))
    return facts
