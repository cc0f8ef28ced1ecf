"""The columns tab: the inputs of a table, and what was left out of it."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.datasets.detail import DatasetTab
from cloudtui.bridge import Bridge
from cloudtui.reported import number
from cloudtui.widgets.gauge import gauge
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line

_COLUMNS = (
    Column("Column", 18, share=2),
    Column("Type", 12),
    Column("Distinct", 9, "right", rank=2),
    Column("Missing", 8, "right"),
    Column("", 10, rank=3),
    Column("To know", 20, share=3, rank=1),
)


class ColumnsTab(DatasetTab):
    """A table of columns."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.table = Table(_COLUMNS)

    def load(self) -> None:
        """All of it is the record's."""
        if self.dataset is not None:
            self.table.show(column_rows(self.dataset))


def column_rows(dataset: Dataset) -> list[Row]:
    """The inputs, then what was left out."""
    told: dict[str, str] = {}
    for one in dataset.findings:
        name = str(one.get("column") or "")
        told[name] = "; ".join(filter(None, (told.get(name, ""), str(one.get("text") or ""))))
    rows = []
    for place, one in enumerate(dataset.columns):
        name, missing = str(one.get("name")), number(one.get("missing"))
        kind = str(one.get("type") or one.get("kind") or "")
        rows.append(
            Row(
                f"{place}",
                (
                    (clean_line(name, 60), ""),
                    (clean_line(kind, 20), "muted"),
                    (fmt.count(number(one.get("distinct"))), ""),
                    (fmt.percent(missing, 1) if missing else "none", "warn" if missing else "muted"),
                    ("".join(gauge(missing)) if missing else "", "warn"),
                    (clean_line(told.get(name, ""), 200), "warn"),
                ),
            )
        )
    for place, one in enumerate(dataset.left_out):
        name = clean_line(str(one.get("name")), 60)
        why = (clean_line(str(one.get("why") or ""), 200), "muted")
        empty = (fmt.MISSING, "muted")
        rows.append(Row(f"out{place}", ((name, "muted"), ("left out", "muted"), empty, empty, ("", ""), why)))
    return rows
