"""The area of evaluations."""

from __future__ import annotations

from typing import Any, ClassVar

from cloudtui.areas.area import Area
from cloudtui.areas.evaluation.beside import DIFFERENCE
from cloudtui.areas.evaluation.detail import EvaluationDetail
from cloudtui.areas.evaluation.judged import COLUMNS, Judged, judged_row, read
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.runs import pages
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Row
from cloudtui_engine.errors import NotFoundError


class EvaluationArea(Area):
    """All evaluations, newest first, and where the one under the cursor errs."""

    ID = "evaluation"
    NOUN = "model"
    TITLE = "Evaluations"
    COLUMNS = COLUMNS
    TOPICS: ClassVar[frozenset[str]] = frozenset({"model", "run", "setting"})
    EMPTY = (
        "No evaluations yet",
        "An evaluation measures a model on rows that it has not seen, and shows where it errs. Every training"
        " ends with one.",
        "5 models: v evaluates the one under the cursor",
    )

    _awaited = ""
    """The evaluation whose difference is to be shown once it is read."""

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

    def select(self, key: str) -> None:
        """Put the cursor on this one. What is beside it may be new; a sealed catalog tells of nothing."""
        if key.startswith(DIFFERENCE):
            self._awaited = key = key.removeprefix(DIFFERENCE)
        super().select(key)
        if self.listing is not None:
            self.reload()

    def given(self, action: str) -> dict[str, Any]:
        """A model is compared on the rows of the evaluation that is marked first, or looked at."""
        record = next((one for one in super().selected() if one.report), None)
        if action != "model.diff" or not isinstance(record, Judged):
            return {}
        return {"dataset": self._data(record), "split": record.split}

    def _data(self, record: Judged) -> str:
        """What a command calls the data."""
        try:
            found = self.bridge.catalog.datasets.get(record.dataset_id or "")
        except NotFoundError:
            return record.dataset
        return f"{found.name}@{found.version}"

    def _loaded(self, listing: Listing) -> None:
        super()._loaded(listing)
        record = self.record(self._awaited)
        if record is not None and record.beside is not None:
            self._awaited = ""
            self.pane.table.select(record.id)
            # Whoever opened the area gives the list its keys, and that may still be to come.
            self.call_after_refresh(self.open_detail)
            if isinstance(self.detail, EvaluationDetail):
                self.detail.open_tab("Difference")

    def freshness(self, now: float) -> tuple[str, str]:
        """Since when live jobs are unconfirmed; nothing where all is as it is."""
        records = self.listing.records if self.listing else ()
        return pages.confirmed([one.run for one in records if one.run is not None], now)

    def selected(self) -> list[Any]:
        """The models that were judged: actions go to them."""
        models = [record.model for record in super().selected() if record.model is not None]
        return list({model.id: model for model in models}.values())
