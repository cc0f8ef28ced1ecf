"""One evaluation: confusion, classes, errors, calibration, figures; of numbers the residuals instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged import Judged, headline
from cloudtui.areas.evaluation.open_errors import OpenErrors
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui_engine.sanitize import clean_line

_HERE = "cloudtui.areas.evaluation."
_CLASSES = ("Confusion", "Classes", "Errors", "Calibration", "Figures")
_NUMBERS = ("Residuals", "Errors", "Figures")


class EvaluationDetail(TabbedDetail):
    """The tabs of one evaluation."""

    TABS: ClassVar[dict[str, str]] = {
        "Confusion": _HERE + "confusion:ConfusionTab",
        "Classes": _HERE + "classes:ClassesTab",
        "Residuals": _HERE + "residuals:ResidualsTab",
        "Errors": _HERE + "errors:ErrorsTab",
        "Calibration": _HERE + "calibration:CalibrationTab",
        "Figures": _HERE + "figures:FiguresTab",
        "Difference": _HERE + "difference:DifferenceTab",
        "Cells": _HERE + "cells:CellsTab",
    }

    def tabs_of(self, record: Judged) -> Sequence[str]:
        """What there is to see depends on what was predicted."""
        if not record.report:
            return ("Figures",)
        tabs = _NUMBERS if record.is_regression else _CLASSES
        if record.beside is None:
            return tabs
        return (*tabs, "Difference") if record.is_regression else (*tabs, "Difference", "Cells")

    def heading(self, record: Judged, now: float) -> tuple[str, str, str]:
        """Which model on which rows, and how good; of one that is measured, since when there is no link."""
        run = record.run
        if (
            not record.report
            and run is not None
            and run.stale_since is not None
            and not run.status.is_finished
        ):
            gone = f"no link for {fmt.since(run.stale_since, now)}"
            return clean_line(f"{record.name} · {record.split}", 60), gone, "warn"
        return clean_line(f"{record.name} · {record.split}", 60), clean_line(headline(record.report), 80), ""

    def show(self, record: Judged | None) -> None:
        """Show this evaluation; the errors of a cell are of the evaluation in which it was opened."""
        if record is not None and self.record is not None and record.id == self.record.id:
            record = replace(record, cell=self.record.cell)
        super().show(record)

    def on_open_errors(self, event: OpenErrors) -> None:
        """A cell of the confusion was opened, or all errors are wanted again."""
        event.stop()
        if self.record is not None:
            self.record = replace(self.record, cell=event.cell)
            self.open_tab("Errors")
