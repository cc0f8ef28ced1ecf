"""Which column is predicted, and whether it is a class or a number."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.names import by_number, nearest
from cloudtui_engine.data.tables import Column, Finding, Table
from cloudtui_engine.errors import BadInputError, UsageError
from cloudtui_engine.sanitize import clean_line

MOST_CLASSES = 1000
MOST_WHOLE_NUMBERS = 20
"""A column of whole numbers with no more different ones than this is taken for classes."""
LONGEST_WORD = 500
"""Of a class or a category; what is longer is prose."""
_STRATA = 10
_ROWS_OF_A_STRATUM = 5
"""At least, of numbers: each keeps a row for train, and must have some left for validation and test."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted, for the rows that have it."""

    name: str
    kind: Literal["classes", "number"]
    y: npt.NDArray[Any]
    """Class numbers, or float32."""
    classes: tuple[str, ...]
    strata: npt.NDArray[Any]
    """What the splits keep in proportion: the classes, or tenths of the numbers (larger parts of few)."""


def pick(table: Table, wanted: str, unwanted: Container[str], findings: list[Finding]) -> Column:
    """The column to predict: the one asked for, the source's own, or the last that is not `unwanted`.

    Raises:
        UsageError: there is no such column, or it is to be left out.
    """
    if wanted or table.target:
        column = find(table.columns, wanted or table.target)
        if column.name in unwanted:
            raise UsageError(
                f"The column {clean_line(column.name, 80)} is to be predicted: it cannot be left out, too.",
                "Name another one with --target, or leave out others.",
            )
        return column
    last = next((column for column in reversed(table.columns) if column.name not in unwanted), None)
    if last is None:
        raise UsageError(
            "All columns are to be left out.", "Keep one to predict, and one to predict it from."
        )
    of_the_rest = " that is not left out" if last is not table.columns[-1] else ""
    text = f"No target was named, so the last column{of_the_rest}, {last.name}, is predicted."
    findings.append(Finding("target_guessed", text, last.name))
    return last


def find(columns: Sequence[Column], wanted: str) -> Column:
    """A column by its name, or by its number from 1.

    Raises:
        UsageError: there is none; the hint has the nearest names.
    """
    for column in columns:
        if column.name == wanted:
            return column
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(columns):
        return columns[int(wanted) - 1]
    raise UsageError(
        f"There is no column {clean_line(wanted, 80)}.", nearest(wanted, [column.name for column in columns])
    )


def judge(column: Column, findings: list[Finding]) -> Target:
    """Decide between classes and a number. The column has no missing values.

    Raises:
        BadInputError: it has one value only, or too many different words.
    """
    shown = clean_line(column.name, 80)
    rows = len(column.values)
    if column.is_category and (not column.words or max(map(len, column.words)) > LONGEST_WORD):
        raise BadInputError(
            f"The target {shown} cannot be predicted: {column.why_not}.", "Name another column."
        )
    values, numbers = np.unique(column.values, return_inverse=True)
    if len(values) < 2:
        value = column.words[int(values[0])] if column.is_category else f"{values[0]:g}"
        raise BadInputError(
            f"The target {shown} has one value only, {clean_line(value, 60)}: there is nothing to learn.",
            "Give rows of another value, or name another column with --target.",
        )
    if column.is_category:
        words = [column.words[int(value)] for value in values]
    elif column.type == "integer" and len(values) <= MOST_WHOLE_NUMBERS:
        words = [str(int(value)) for value in values]
    else:
        findings.append(
            Finding(
                "target_kind", f"{shown} is predicted as a number: it has {len(values):,} different values."
            )
        )
        return Target(column.name, "number", column.values.astype(np.float32), (), _tenths(column.values))
    if len(words) > MOST_CLASSES or (len(words) > MOST_WHOLE_NUMBERS and len(words) > rows / 2):
        raise BadInputError(
            f"The target {shown} has {len(words):,} different words in {rows:,} rows: too many classes.",
            f"Name another column with --target; at most {MOST_CLASSES:,} classes can be told apart.",
        )
    text = f"{shown} is predicted as one of {len(words):,} classes."
    findings.append(Finding("target_kind", text, column.name))
    order = sorted(range(len(words)), key=lambda place: by_number(words[place]))
    rank = np.empty(len(words), dtype=np.int64)
    rank[order] = np.arange(len(words))
    y = rank[numbers]
    return Target(column.name, "classes", y, tuple(words[place] for place in order), y)


def _tenths(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    parts = max(1, min(_STRATA, len(values) // _ROWS_OF_A_STRATUM))
    inner = np.quantile(values, np.linspace(0, 1, parts + 1)[1:-1])
    return np.searchsorted(np.unique(inner), values, side="right")
