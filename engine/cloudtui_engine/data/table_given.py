"""Splits that a table brings along in a column of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cloudtui_engine.data.splits import NAMES, TRAIN, UNSPLIT
from cloudtui_engine.data.table_target import find
from cloudtui_engine.data.tables import Table
from cloudtui_engine.errors import UsageError
from cloudtui_engine.sanitize import clean_line


def with_splits(table: Table, wanted: str) -> Table:
    """The table with the rows where a column says, and without that column.

    Where it has no validation or no test rows, they are drawn from those of train, and from rows without a
    word.

    Raises:
        UsageError: there is no such column, or it holds other words than the names of splits.
    """
    column = find(table.columns, wanted)
    shown = clean_line(column.name, 80)
    other = [word for word in column.words if word.lower() not in NAMES]
    if not column.is_category or other or not column.words:
        example = f", for instance {clean_line(other[0], 40)}" if other else ""
        raise UsageError(
            f"The column {shown} does not name splits{example}.", f"It may hold: {', '.join(NAMES)}."
        )
    codes = [NAMES[word.lower()] for word in column.words]
    splits = np.array([UNSPLIT if code == TRAIN else code for code in codes] + [UNSPLIT], dtype=np.int8)
    given = splits[column.values]  # -1, a missing word, is the last one
    if not (given == UNSPLIT).any():
        raise UsageError(f"The column {shown} leaves no row to train on.", "Some rows must be called train.")
    return replace(table, columns=[one for one in table.columns if one is not column], given=given)
