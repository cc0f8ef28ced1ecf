"""The area of runs."""

from __future__ import annotations

from typing import Any, ClassVar

from cloudtui.areas.area import Area
from cloudtui.areas.finding import Finding
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.runs import pages
from cloudtui.areas.runs.detail import RunDetail
from cloudtui.areas.runs.rows import COLUMNS, run_row, shown
from cloudtui.bridge import Bridge
from cloudtui.run_columns import DEFAULT, RunColumn, columns
from cloudtui.widgets.table import WINDOW, Row
from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.catalog.query_tokens import quoted
from cloudtui_engine.records.run import Run


class RunsArea(Area):
    """All runs, newest first, and one of them."""

    ID = "runs"
    NOUN = "run"
    TITLE = "Runs"
    COLUMNS = COLUMNS
    TOPICS: ClassVar[frozenset[str]] = frozenset({"run", "setting"})  # a setting: views
    SORT = "-created"
    EMPTY = (
        "No runs yet",
        "A run is a training job on one of your machines. Its history stays here when the machine is gone.",
        "+ train a model   x run your own script",
    )
    TRASH = ("The trash is empty", "Runs that are deleted come here and can be restored.", "T all runs")

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._columns: tuple[RunColumn, ...] = tuple(columns(DEFAULT))
        self._made: dict[str, tuple[Run, Row]] = {}
        """Rows of runs that are over, by id: as long as such a run stays as it is, so does its row."""
        self.pane.finding = Finding(self, bridge)

    def make_detail(self) -> Detail:
        """Tabs of one run."""
        return RunDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """A window of runs."""
        return pages.listing(bridge.catalog, request)

    @property
    def title(self) -> str:
        """The trash says that it is one."""
        return "Trash" if self.request.trash else self.TITLE

    @property
    def empty(self) -> tuple[str, str, str]:
        """Where nothing was deleted there is nothing to begin with."""
        return self.TRASH if self.request.trash else self.EMPTY

    @classmethod
    def ordered(cls, request: Request) -> tuple[str, str]:
        """An order in the filter comes before that of the header; a click there takes it out."""
        found = compile_filter(request.filter)
        return found.order or request.sort, found.rest

    def given(self, action: str) -> dict[str, Any]:
        """What is listed now, for a view of it; the view that is looked at, to be deleted."""
        view, told = (self.listing.view, self.listing.extra) if self.listing else ("", pages.Shown(()))
        if action == "view.save":
            order, rest = self.ordered(self.request)
            chosen = "" if told.ids == DEFAULT else ",".join(told.ids)
            return {"filter": f"{rest} sort:{quoted(order)}".strip(), "columns": chosen}
        if action == "view.columns" and told.of_view:
            return {"view": view}
        return {"name": view} if action == "view.delete" and view else {}

    def _loaded(self, listing: Listing) -> None:
        told: pages.Shown = listing.extra
        if told.ids != tuple(one.id for one in self._columns):
            self._columns = told.columns
            self._made.clear()
            self.pane.table.restructure(shown(told.columns))
        super()._loaded(listing)

    def turn_trash(self) -> None:
        """The trash instead of the rest, or the rest again."""
        self.request = self.request._replace(trash=not self.request.trash, first=0)
        self.pane.table.unmark()
        self.reload()

    def step_back(self) -> bool:
        """Out of the trash at last."""
        if super().step_back():
            return True
        if self.request.trash:
            self.turn_trash()
            return True
        return False

    def row(self, record: Run, now: float) -> Row:
        """A run as cells."""
        made = self._made.get(record.id)
        if made is not None and made[0] == record:
            return made[1]
        row = run_row(record, now, self._columns)
        if record.status.is_finished and all(one.id != "age" for one in self._columns):
            if len(self._made) > 2 * WINDOW:
                self._made.clear()
            self._made[record.id] = (record, row)
        return row

    def changed(self, topics: frozenset[str]) -> None:
        """Progress and points of a live run change its row, too."""
        shown = self.listing.records if self.listing else ()
        if topics & self.TOPICS or any(f"metric:{run.id}" in topics for run in pages.live(shown)):
            self.reload()
        self.detail.changed(topics)

    def freshness(self, now: float) -> tuple[str, str]:
        """Since when the oldest unconfirmed live run is unconfirmed; nothing where all is as it is."""
        return pages.confirmed(self.listing.records if self.listing else (), now)
