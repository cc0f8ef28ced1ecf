"""Tables: raw cells to rows of float32, and those rows to what a network takes.

A row holds one float32 a column. A number stays as it is, NaN where it is missing; a category is its place in
the vocabulary plus one, 0 where it is missing or was never seen in training. Columns are given by name, and
what is not asked for is passed over, so that a server can take a whole record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Cell = str | float | int | bool | None
Floats = npt.NDArray[np.float32]

MOST_EDGES = 32
MISSING = frozenset(
    {"", "?", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "nil", "<na>", "#value!", "#div/0!"}
)
"""What stands for "no value" in a table, in small letters."""
DATE_UNIT = "days since 1970-01-01"
_LARGEST = float(np.finfo(np.float32).max)
_DAY = 86400.0
_UTC = timezone.utc  # noqa: UP017 - hosts may have a Python without datetime.UTC


def check(features: Mapping[str, Any]) -> None:
    """`columns`, each a number (fill, mean, std, edges) or a category (vocabulary), and the `target`.

    Raises:
        ValueError: one of them is missing or makes no sense.
    """
    columns = features.get("columns")
    if not isinstance(columns, list) or not columns:
        raise ValueError(f"tabular features need a list of columns, not {columns!r}")
    for column in columns:
        if not isinstance(column, Mapping) or not isinstance(column.get("name"), str):
            raise ValueError(f"tabular features need a name of each column, not {column!r}")  # noqa: TRY004 - a file says it
        if column.get("kind") == "number":
            _check_number(column)
        elif column.get("kind") == "category":
            _check_category(column)
        else:
            raise ValueError(f"column {column['name']!r} is neither a number nor a category")
    names = [column["name"] for column in columns]
    if len(set(names)) < len(names):
        raise ValueError("tabular features name a column twice")
    _check_target(features.get("target"))


def encode(features: Mapping[str, Any], columns: Mapping[str, Sequence[Cell]]) -> Floats:
    """Raw cells as the rows that the shards hold: (rows, columns).

    Args:
        features: the fitted numbers.
        columns: the cells of each column by its name; text, numbers, None.

    Raises:
        ValueError: a column is missing, the columns differ in length, or a cell is no number where one must
            stand.
    """
    wanted = features["columns"]
    absent = [column["name"] for column in wanted if column["name"] not in columns]
    if absent:
        raise ValueError(f"there is no column {absent[0]!r}; there are {', '.join(map(str, columns))}")
    lengths = {len(columns[column["name"]]) for column in wanted}
    if len(lengths) > 1:
        raise ValueError(f"the columns differ in length: {sorted(lengths)}")
    rows = np.empty((lengths.pop(), len(wanted)), dtype=np.float32)
    for place, column in enumerate(wanted):
        cells = columns[column["name"]]
        rows[:, place] = _numbers(column, cells) if column["kind"] == "number" else _codes(column, cells)
    return rows


def decode(features: Mapping[str, Any], rows: npt.NDArray[Any]) -> dict[str, list[Cell]]:
    """The cells that rows stand for, by column: what `encode` makes the same rows of again.

    A category that was never seen is None, as a missing one is.

    Raises:
        ValueError: the rows have another shape, or a code is not in the vocabulary.
    """
    _check_rows(features, rows)
    return {
        column["name"]: _cells(column, rows[:, place]) for place, column in enumerate(features["columns"])
    }


def apply(features: Mapping[str, Any], rows: npt.NDArray[Any]) -> Floats:
    """Numbers with the missing filled and standardised; codes of categories as they are.

    Raises:
        ValueError: the rows have another shape, or a code is not in the vocabulary.
    """
    _check_rows(features, rows)
    columns = features["columns"]
    places = [place for place, column in enumerate(columns) if column["kind"] == "number"]
    done = rows.astype(np.float32)
    if places:
        fill, mean, std = (
            np.array([columns[place][key] for place in places], dtype=np.float32)
            for key in ("fill", "mean", "std")
        )
        numbers = done[:, places]
        with np.errstate(over="ignore"):  # 1e30 where train had thousandths: infinite here, as it is in torch
            done[:, places] = (np.where(np.isnan(numbers), fill, numbers) - mean) / std
    return done


def labels(classes: Sequence[str], cells: Sequence[Cell]) -> npt.NDArray[np.int64]:
    """The class number of each cell.

    Raises:
        ValueError: a cell is missing or names no class of the training.
    """
    number = _finder(classes)
    found = np.array([number(cell) for cell in cells], dtype=np.int64)
    if (found < 0).any():
        row = int(np.flatnonzero(found < 0)[0])
        raise ValueError(f"row {row + 1} has the label {cells[row]!r}, which training did not have")
    return found


def is_missing(cell: Cell) -> bool:
    """The cell stands for no value."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip().lower() in MISSING


def days(text: str, form: str = "") -> float:
    """A date as days since 1970, by `form` (as strptime has it) or as ISO 8601.

    Raises:
        ValueError: it is no such date.
    """
    text = text.strip()
    if form:
        try:
            return datetime.strptime(text, form).replace(tzinfo=_UTC).timestamp() / _DAY
        except ValueError:
            pass  # a date of ours, as `decode` writes them, is ISO
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=_UTC)).timestamp() / _DAY


def date_text(value: float) -> str:
    """Days since 1970 as ISO 8601; float32 keeps the minute, not the second."""
    moment = np.datetime64(0, "s") + np.timedelta64(round(value * _DAY), "s")
    text = str(moment)
    return text.removesuffix("T00:00:00")


def _numbers(column: Mapping[str, Any], cells: Sequence[Cell]) -> npt.NDArray[np.float64]:
    try:
        array = np.asarray(cells)
    except ValueError:  # lists of lists
        array = np.empty((0, 0))
    if array.dtype.kind in "fiub" and array.ndim == 1:
        found = array.astype(np.float64)
    else:
        known: dict[Any, float] = {}
        found = np.empty(len(cells))
        for row, cell in enumerate(cells):
            _check_cell(column, cell)
            if cell not in known:
                known[cell] = _number(column, cell)
            found[row] = known[cell]
    found[~(np.abs(found) <= _LARGEST)] = np.nan
    return found


def _number(column: Mapping[str, Any], cell: Cell) -> float:
    if is_missing(cell):
        return math.nan
    try:
        if column.get("unit") == DATE_UNIT and isinstance(cell, str):
            return days(cell, column.get("format", ""))
        return float(cast("str | float", cell))
    except (ValueError, TypeError):
        what = "date" if column.get("unit") == DATE_UNIT else "number"
        raise ValueError(f"column {column['name']!r}: {str(cell)[:60]!r} is not a {what}") from None


def _codes(column: Mapping[str, Any], cells: Sequence[Cell]) -> npt.NDArray[np.int64]:
    number = _finder(column["vocabulary"])
    known: dict[Any, int] = {}
    found = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        _check_cell(column, cell)
        key = (type(cell), cell)  # True == 1, and they are not the same word
        if key not in known:
            known[key] = number(cell) + 1
        found[row] = known[key]
    return found


def _check_cell(column: Mapping[str, Any], cell: object) -> None:
    if cell is not None and not isinstance(cell, str | int | float | np.generic):
        raise ValueError(f"column {column['name']!r}: a {type(cell).__name__} is no cell of a table")


def _finder(vocabulary: Sequence[str]) -> Callable[[Cell], int]:
    """A function: the place of a cell in the vocabulary, -1 where it has none."""
    place = {word: number for number, word in enumerate(vocabulary)}
    lower = {word.lower(): number for number, word in enumerate(vocabulary)}

    def find(cell: Cell) -> int:
        if is_missing(cell):
            return -1
        if isinstance(cell, bool | np.bool_):
            return lower.get(str(bool(cell)).lower(), -1)
        if isinstance(cell, float | np.floating) and float(cell).is_integer():
            return place.get(str(int(cell)), place.get(str(float(cell)), -1))
        return place.get(str(cell).strip(), -1)

    return find


def _cells(column: Mapping[str, Any], values: npt.NDArray[Any]) -> list[Cell]:
    if column["kind"] == "category":
        words = [None, *column["vocabulary"]]
        return [words[int(code)] for code in values]
    numbers = [None if math.isnan(value) else float(value) for value in values]
    if column.get("unit") == DATE_UNIT:
        return [None if value is None else date_text(value) for value in numbers]
    return list(numbers)


def _check_rows(features: Mapping[str, Any], rows: npt.NDArray[Any]) -> None:
    columns = features["columns"]
    if rows.ndim != 2 or rows.shape[1] != len(columns):
        raise ValueError(f"rows of shape {rows.shape[1:]} where {(len(columns),)} was fitted")
    for place, column in enumerate(columns):
        if column["kind"] == "category" and len(rows):
            codes = rows[:, place]
            if not ((codes >= 0) & (codes <= len(column["vocabulary"])) & (codes == np.floor(codes))).all():
                raise ValueError(f"column {column['name']!r} holds codes that are not in its vocabulary")


def _check_number(column: Mapping[str, Any]) -> None:
    name = column["name"]
    for key in ("fill", "mean", "std"):
        if not _is_number(column.get(key)):
            raise ValueError(f"column {name!r} needs a number as {key}, not {column.get(key)!r}")
    if column["std"] <= 0:
        raise ValueError(f"column {name!r} needs a std above 0")
    edges = column.get("edges")
    if not isinstance(edges, list) or not 1 <= len(edges) <= MOST_EDGES or not all(map(_is_number, edges)):
        raise ValueError(f"column {name!r} needs 1 to {MOST_EDGES} edges")
    if any(after <= before for before, after in pairwise(edges)):
        raise ValueError(f"column {name!r} needs edges that ascend")


def _check_category(column: Mapping[str, Any]) -> None:
    words = column.get("vocabulary")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError(f"column {column['name']!r} needs a vocabulary of words")
    if len(set(words)) < len(words):
        raise ValueError(f"column {column['name']!r} has a word twice in its vocabulary")


def _check_target(target: object) -> None:
    if not isinstance(target, Mapping) or target.get("kind") not in {"number", "classes"}:
        raise ValueError(f"tabular features need a target of numbers or classes, not {target!r}")
    if target["kind"] == "number" and not (
        _is_number(target.get("mean")) and _is_number(target.get("std")) and target["std"] > 0
    ):
        raise ValueError("a target of numbers needs a mean and a std above 0")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
