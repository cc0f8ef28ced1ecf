"""Numbers fitted on the train rows of a column, and the column as the shards hold it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.table_edges import edges
from cloudtui_engine.data.tables import Column
from cloudtui_features.tabular import DATE_UNIT

MOST_WORDS = 1000
"""Of a vocabulary; rarer words count as unseen."""

Floats = npt.NDArray[np.float32]


def useless(column: Column, train: npt.NDArray[np.bool_]) -> str:
    """Why nothing can be learned from a column; empty where something can."""
    missing = column.missing
    if missing.all():
        return "all its values are missing"
    if missing[train].all():
        return "all its values among the train rows are missing"
    if column.why_not:
        return column.why_not
    there = column.values[train & ~missing].astype(np.float32)
    if (there == there[0]).all() and not (column.is_category and missing[train].any()):
        return "it has one value only"
    if not column.is_category and np.float32(there.astype(np.float64).std()) == 0:
        return "its values differ by less than single precision can tell"
    return ""


def fit(column: Column, train: npt.NDArray[np.bool_]) -> tuple[dict[str, Any], Floats]:
    """The entry in the manifest's features, and the values of all rows as raw float32."""
    return _fit_words(column, train) if column.is_category else _fit_numbers(column, train)


def _fit_numbers(column: Column, train: npt.NDArray[np.bool_]) -> tuple[dict[str, Any], Floats]:
    values = column.values.astype(np.float32)
    mine = values[train].astype(np.float64)
    missing = np.isnan(mine)
    there = mine[~missing]
    fill = float(np.float32(np.median(there)))
    filled = np.where(missing, fill, mine)
    std = float(filled.std())
    entry = {
        "name": column.name,
        "kind": "number",
        "fill": fill,
        "mean": float(filled.mean()),
        "std": std if np.float32(std) > 0 else 1.0,
        "edges": edges(there).astype(np.float64).tolist(),
    }
    if column.type == "date":
        entry |= {"unit": DATE_UNIT, "format": column.form}
    return entry, values


def _fit_words(column: Column, train: npt.NDArray[np.bool_]) -> tuple[dict[str, Any], Floats]:
    mine = column.values[train]
    counts = np.bincount(mine[mine >= 0], minlength=len(column.words))
    seen = [code for code in np.argsort(-counts, kind="stable") if counts[code]][:MOST_WORDS]
    codes = np.zeros(len(column.words) + 1, dtype=np.float32)  # the last one is that of -1, missing
    codes[seen] = np.arange(1, len(seen) + 1)
    vocabulary = [column.words[code] for code in seen]
    return {"name": column.name, "kind": "category", "vocabulary": vocabulary}, codes[column.values]
