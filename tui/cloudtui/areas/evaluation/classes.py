"""The classes tab: how good each class is, the worst first."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.bridge import Bridge
from cloudtui.reported import label, mappings, number
from cloudtui.widgets.gauge import gauge
from cloudtui.widgets.table import Column, Row, Table

_COLUMNS = (
    Column("Class", 14, share=1),
    Column("F1", 8, "right"),
    Column("", 20, rank=3),
    Column("Precision", 9, "right", rank=1),
    Column("Recall", 8, "right", rank=2),
    Column("Rows", 8, "right"),
)


class ClassesTab(JudgedTab):
    """A table of classes."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.table = Table(_COLUMNS)

    def load(self) -> None:
        """From the report."""
        classes = mappings(self.judged.report.get("classes")) if self.judged else []
        classes.sort(key=lambda one: number(one.get("f1")) or 0.0)
        self.table.show(
            [
                Row(
                    f"{place}:{one.get('label')}",
                    (
                        (label(one.get("label")), ""),
                        (fmt.number(number(one.get("f1"))), ""),
                        ("".join(gauge(number(one.get("f1")), 20)), "accent"),
                        (fmt.number(number(one.get("precision"))), ""),
                        (fmt.number(number(one.get("recall"))), ""),
                        (fmt.count(number(one.get("support"))), "muted"),
                    ),
                )
                for place, one in enumerate(classes)
            ]
        )
