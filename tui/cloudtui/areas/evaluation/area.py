"""The area of evaluations."""

from __future__ import annotations

from typing import Any, ClassVar

from cloudtui.areas.area import Area
from cloudtui.areas.evaluation.detail import EvaluationDetail
from cloudtui.areas.evaluation.judged import COLUMNS, Judged, judged_row, read
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Row


class EvaluationArea(Area):
    """All evaluations, newest first, and where the one under the cursor errs."""

    ID = "evaluation"
    NOUN = "model"
    TITLE = "Evaluations"
    COLUMNS = COLUMNS
    TOPICS: ClassVar[frozenset[str]] = frozenset({"model", "run"})
    EMPTY = (
        "No evaluations yet",
        "An evaluation measures a model on rows that it has not seen, and shows where it errs. Every training"
        " ends with one.",
        "5 models: v evaluates the one under the cursor",
    )

    def make_detail(self) -> Detail:
        """Tabs of one evaluation."""
        return EvaluationDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All whose model or data holds the filter."""
        found = read(bridge.catalog, request.filter)
        live = sum(not one.report and one.run is not None and not one.run.status.is_finished for one in found)
        return Listing(found, 0, len(found), f"{live} live" if live else "")

    def row(self, record: Judged, now: float) -> Row:
        """An evaluation as cells."""
        return judged_row(record, now)

    def selected(self) -> list[Any]:
        """The models that were judged: actions go to them."""
        models = [record.model for record in super().selected() if record.model is not None]
        return list({model.id: model for model in models}.values())
