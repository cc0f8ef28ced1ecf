"""Runs as rows of the list."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui.run_columns import DEFAULT, TONES, RunColumn, columns, status
from cloudtui.widgets.table import Column, Row
from cloudtui_engine.records.run import Run

__all__ = ["COLUMNS", "TONES", "run_row", "shown", "status"]
_DEFAULT = columns(DEFAULT)


def shown(wanted: Sequence[RunColumn]) -> tuple[Column, ...]:
    """Columns as the table has them."""
    return tuple(
        Column(one.title, one.width, "right" if one.right else "left", one.sort, one.share, one.rank)
        for one in wanted
    )


COLUMNS = shown(_DEFAULT)
"""Those that are shown where nobody chose."""


def run_row(run: Run, now: float, wanted: Sequence[RunColumn] = _DEFAULT) -> Row:
    """The run's cells in these columns."""
    return Row(run.id, tuple(one.cell(run, now) for one in wanted))
