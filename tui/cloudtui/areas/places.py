"""The areas there are, in the order of the rail. One is imported and mounted on its first visit."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from cloudtui.areas.area import Area
from cloudtui.widgets.rail import Place


class AreaPlace(NamedTuple):
    """Where an area stands and where its class is."""

    place: Place
    path: str

    def load(self) -> type[Area]:
        """Its class."""
        module, _, name = self.path.partition(":")
        kind = getattr(importlib.import_module(module), name)
        if not (isinstance(kind, type) and issubclass(kind, Area)):
            raise TypeError(f"{self.path} is no area.")
        return kind


AREAS = {
    one.place.id: one
    for one in (
        AreaPlace(Place("instances", "1", "Instances"), "cloudtui.areas.instances.area:InstancesArea"),
        AreaPlace(Place("datasets", "2", "Datasets"), "cloudtui.areas.datasets.area:DatasetsArea"),
        AreaPlace(Place("runs", "3", "Runs"), "cloudtui.areas.runs.area:RunsArea"),
        AreaPlace(Place("compare", "4", "Compare"), "cloudtui.areas.compare.area:CompareArea"),
        AreaPlace(Place("models", "5", "Models"), "cloudtui.areas.models.area:ModelsArea"),
        AreaPlace(Place("evaluation", "6", "Evaluate"), "cloudtui.areas.evaluation.area:EvaluationArea"),
        AreaPlace(Place("compression", "7", "Compress"), "cloudtui.areas.compression.area:CompressionArea"),
        AreaPlace(Place("cost", "9", "Cost"), "cloudtui.areas.cost.area:CostArea"),
        AreaPlace(Place("settings", "0", "Settings"), "cloudtui.areas.settings.area:SettingsArea"),
    )
}
