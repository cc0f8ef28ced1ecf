"""One dataset version: what it is, its columns, its classes and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.areas.tab import Tab
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line

_HERE = "cloudtui.areas.datasets."


class DatasetDetail(TabbedDetail):
    """The tabs of one version."""

    TABS: ClassVar[dict[str, str]] = {
        "About": _HERE + "about:AboutTab",
        "Columns": _HERE + "columns:ColumnsTab",
        "Classes": _HERE + "balance:BalanceTab",
        "Rows": _HERE + "preview:PreviewTab",
    }

    def tabs_of(self, record: Dataset) -> Sequence[str]:
        """Only a table has columns; only classes have a balance."""
        return [
            name
            for name in self.TABS
            if not (name == "Columns" and not record.columns)
            and not (name == "Classes" and not record.classes)
        ]

    def heading(self, record: Dataset, now: float) -> tuple[str, str, str]:  # noqa: ARG002 - it has no age
        """The version and its size."""
        return clean_line(f"{record.name}@{record.version}", 60), fmt.size(record.size_bytes), "muted"


class DatasetTab(Tab):
    """A view of one version."""

    @property
    def dataset(self) -> Dataset | None:
        """The version."""
        return self.record if isinstance(self.record, Dataset) else None
