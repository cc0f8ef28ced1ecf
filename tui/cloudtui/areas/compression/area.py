"""The area of compressions."""

from __future__ import annotations

from typing import Any, ClassVar

from cloudtui.areas.area import Area
from cloudtui.areas.compression.detail import CompressionDetail
from cloudtui.areas.compression.tried import COLUMNS, Tried, read, tried_row
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.runs import pages
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Row


class CompressionArea(Area):
    """All compressions, newest first, and the variants of the one under the cursor."""

    ID = "compression"
    NOUN = "model"
    TITLE = "Compressions"
    COLUMNS = COLUMNS
    TOPICS: ClassVar[frozenset[str]] = frozenset({"model", "run"})
    EMPTY = (
        "No compressions yet",
        "A compression makes smaller and faster variants of a model and judges each by what it loses.",
        "5 models: c compresses the one under the cursor",
    )

    def make_detail(self) -> Detail:
        """Plot and table of one compression."""
        return CompressionDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All whose model holds the filter."""
        found = read(bridge.catalog, request.filter)
        live = sum(one.is_live for one in found)
        return Listing(found, 0, len(found), f"{live} live" if live else "")

    def row(self, record: Tried, now: float) -> Row:
        """A compression as cells."""
        return tried_row(record, now)

    def changed(self, topics: frozenset[str]) -> None:
        """The progress of a live one is part of its row."""
        live = [one for one in (self.listing.records if self.listing else ()) if one.is_live]
        if topics & self.TOPICS or any(f"metric:{one.id}" in topics for one in live):
            self.reload()

    def freshness(self, now: float) -> tuple[str, str]:
        """Since when live jobs are unconfirmed; nothing where all is as it is."""
        records = self.listing.records if self.listing else ()
        return pages.confirmed([one.run for one in records if one.run is not None], now)

    def selected(self) -> list[Any]:
        """The models that were compressed: actions go to them."""
        models = [record.model for record in super().selected() if record.model is not None]
        return list({model.id: model for model in models}.values())
