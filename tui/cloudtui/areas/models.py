"""The area of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.areas.area import Area
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.sheet import SheetDetail
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.records.model import Model
from cloudtui_engine.sanitize import clean_line

_SCORES = ("test/accuracy", "validation/accuracy", "test/loss", "validation/loss")


class ModelsArea(Area):
    """All model versions, newest first."""

    ID = "models"
    NOUN = "model"
    TITLE = "Models"
    COLUMNS = (
        Column("Name", 16, share=2),
        Column("Version", 7, "right"),
        Column("Alias", 10, rank=3, share=1),
        Column("Architecture", 14, rank=4, share=1),
        Column("Dataset", 14, rank=2, share=1),
        Column("Accuracy", 9, "right", rank=1),
        Column("Size", 8, "right", rank=5),
        Column("Made", 5, "right", rank=6),
    )
    TOPICS: ClassVar[frozenset[str]] = frozenset({"model"})
    EMPTY = (
        "No models yet",
        "A model is what a finished run learned; it is kept with its evaluation and where it came from.",
        "Train one in Runs, with +",
    )

    def make_detail(self) -> Detail:
        """A sheet of facts."""
        return SheetDetail(model_facts)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All versions whose name holds the filter."""
        found = [m for m in bridge.catalog.models.list() if request.filter.lower() in m.name.lower()]
        return Listing(found, 0, len(found))

    def row(self, record: Model, now: float) -> Row:
        """A version as cells."""
        weights = sum(file.size_bytes for file in record.files if file.name.endswith(".safetensors"))
        accuracy = next((record.metrics[key] for key in _SCORES[:2] if key in record.metrics), None)
        return Row(
            record.id,
            (
                (clean_line(record.name, 80), ""),
                (str(record.version), ""),
                (
                    clean_line(", ".join(record.alias), 40) or fmt.MISSING,
                    "accent" if record.alias else "muted",
                ),
                (clean_line(record.architecture, 40) or fmt.MISSING, "muted"),
                (clean_line(record.dataset or "", 40) or fmt.MISSING, "muted"),
                (fmt.number(accuracy), ""),
                (fmt.size(weights or None), "muted"),
                (fmt.since(record.created_at, now), "muted"),
            ),
        )


def model_facts(model: Model) -> list[Fact]:
    """All that is known of a model version."""
    facts = [
        Fact("Model", style="heading"),
        Fact("name", clean_line(f"{model.name}@{model.version}")),
        Fact("alias", clean_line(", ".join(model.alias)) or fmt.MISSING),
        Fact("task", clean_line(model.task)),
        Fact("architecture", clean_line(model.architecture) or fmt.MISSING),
        Fact("dataset", clean_line(model.dataset or fmt.MISSING)),
        Fact("from run", model.run_id, "muted"),
        Fact("made", fmt.moment(model.created_at)),
    ]
    if model.metrics:
        facts.append(Fact("Results", style="heading"))
        facts += [
            Fact(clean_line(key, 40), fmt.number(value)) for key, value in sorted(model.metrics.items())
        ]
    for name, report in model.reports.items():
        facts += _report(name, report)
    if model.files:
        facts.append(Fact("Files", style="heading"))
        facts += [
            Fact(clean_line(f.name, 40), f"{fmt.size(f.size_bytes)}  {'here' if f.local else 'on the host'}")
            for f in model.files
        ]
    return facts


def _report(name: str, report: object) -> list[Fact]:
    metrics = report.get("metrics") if isinstance(report, Mapping) else None
    if not isinstance(metrics, Mapping):
        return []
    numbers = {key: value for key, value in metrics.items() if isinstance(value, int | float)}
    facts = [Fact(clean_line(name, 60), style="heading")] if numbers else []
    return facts + [
        Fact(clean_line(str(key), 40), fmt.number(float(value))) for key, value in numbers.items()
    ]
