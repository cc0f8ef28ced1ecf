"""A table that was read: typed columns, whatever it was read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.splits import UNSPLIT

Type = Literal["number", "integer", "date", "boolean", "category"]
Values = npt.NDArray[Any]

MOST_COLUMNS = 4096
"""Wider tables are refused: a model of rows that wide is not what this prepares them for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the data that a person should know."""

    code: str
    text: str
    column: str = ""

    def as_dict(self) -> dict[str, str]:
        """As the manifest has it."""
        return {"code": self.code, "column": self.column, "text": self.text}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: numbers with NaN where one is missing, or codes of `words` with -1 there."""

    name: str
    type: Type
    values: Values
    words: tuple[str, ...] = ()
    """What the codes of a category stand for."""
    form: str = ""
    """How its dates are written, as strptime has it; empty: ISO 8601."""
    why_not: str = ""
    """Why it cannot be an input, for instance because it numbers the rows; empty: it can."""

    @property
    def is_category(self) -> bool:
        """It holds codes and no numbers."""
        return self.type in {"category", "boolean"}

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """The rows without a value."""
        absent: npt.NDArray[np.bool_] = self.values < 0 if self.is_category else np.isnan(self.values)
        return absent

    def at(self, rows: Values) -> Column:
        """The same column at some rows."""
        return Column(self.name, self.type, self.values[rows], self.words, self.form, self.why_not)


@dataclass(frozen=True, slots=True)
class Table:
    """The columns, and what the source itself says about them."""

    columns: Sequence[Column]
    source: Mapping[str, Any]
    """Where it comes from; no path and no time."""
    target: str = ""
    """The column to predict where the source says so."""
    given: Values | None = None
    """The split of each row as the source has it, or None."""
    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.columns[0].values)

    def splits(self) -> Values:
        """The split of each row, `UNSPLIT` where the source has none."""
        return np.full(self.rows, UNSPLIT, dtype=np.int8) if self.given is None else self.given
