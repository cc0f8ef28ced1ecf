"""The area of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from cloudtui import format as fmt
from cloudtui.areas.area import Area
from cloudtui.areas.models.detail import ModelDetail
from cloudtui.areas.models.lineage import in_families
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.bridge import Bridge
from cloudtui.reported import figure
from cloudtui.widgets.table import Cell, Column, Row
from cloudtui_engine.records.model import Model
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_SCORES = tuple(
    f"{split}/{key}" for key in ("accuracy", "r2", "auc", "loss") for split in ("test", "validation")
)
_WEIGHTS = (".onnx", ".safetensors")


@dataclass(frozen=True, slots=True)
class Around:
    """What else is read with the models: how deep each stands below its first, and where its files lie."""

    depths: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Machines of a run some of whose files are not here, by its id."""


class ModelsArea(Area):
    """All model versions, newest first, what was made from one indented below it."""

    ID = "models"
    NOUN = "model"
    TITLE = "Models"
    COLUMNS = (
        Column("Name", 20, share=3),
        Column("Version", 7, "right", rank=5),
        Column("Alias", 10, rank=4, share=1),
        Column("Architecture", 12, rank=6, share=1),
        Column("Dataset", 14, rank=2, share=1),
        Column("Score", 8, "right"),
        Column("", 12, rank=3),
        Column("Size", 8, "right", rank=1),
        Column("Files", 12, share=1, rank=3),
        Column("Made", 5, "right", rank=7),
    )
    TOPICS: ClassVar[frozenset[str]] = frozenset({"model", "run"})
    EMPTY = (
        "No models yet",
        "A model is what a finished run learned; it is kept with its evaluation and where it came from.",
        "3 runs: + trains one",
    )

    def make_detail(self) -> Detail:
        """A sheet of facts."""
        return ModelDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All versions whose name holds the filter, families together."""
        catalog = bridge.catalog
        named = [m for m in catalog.models.list() if request.filter.lower() in m.label.lower()]
        found = in_families(named)
        around = Around({model.id: depth for model, depth in found}, _hosts(catalog, named))
        return Listing([model for model, _ in found], 0, len(found), extra=around)

    def row(self, record: Model, now: float) -> Row:
        """A version as cells."""
        key = next((key for key in _SCORES if key in record.metrics), "")
        weights = [one.size_bytes for one in record.files if one.name.endswith(_WEIGHTS)]
        depth = self._around.depths.get(record.id, 0)
        branch = "  " * (depth - 1) + "└ " if depth else ""
        # Compressed twice there are two of a variant; the column of versions is not always shown.
        name = f"{record.variant} v{record.version}" if branch and record.variant else record.name
        return Row(
            record.id,
            (
                (branch + clean_line(name, 80), ""),
                (str(record.version), ""),
                (
                    clean_line(", ".join(record.alias), 40) or fmt.MISSING,
                    "accent" if record.alias else "muted",
                ),
                (clean_line(record.architecture, 40) or fmt.MISSING, "muted"),
                (clean_line(record.dataset or "", 40) or fmt.MISSING, "muted"),
                (figure(key.partition("/")[2], record.metrics.get(key)), ""),
                (key.replace("validation", "val").replace("accuracy", "acc") or fmt.MISSING, "muted"),
                (fmt.size(max(weights)) if weights else fmt.MISSING, "muted"),
                where(record, self._around.hosts.get(record.run_id, ())),
                (fmt.since(record.created_at, now), "muted"),
            ),
        )

    @property
    def _around(self) -> Around:
        return self.listing.extra if self.listing and isinstance(self.listing.extra, Around) else Around()


def where(model: Model, hosts: tuple[str, ...]) -> Cell:
    """Here, or only on a machine: in yellow, for a machine can go."""
    if not model.files:
        return fmt.MISSING, "muted"
    here = sum(one.local is not None for one in model.files)
    if here == len(model.files):
        return "here", "good"
    names = clean_line(", ".join(hosts), 30) or "its host"
    if not here:
        return f"only on {names}", "warn"
    return f"{here} of {len(model.files)} here", "warn"


def _hosts(catalog: Catalog, models: list[Model]) -> dict[str, tuple[str, ...]]:
    away = {model.run_id for model in models if any(one.local is None for one in model.files)}
    return {run_id: catalog.runs.get(run_id).instances for run_id in away}
