"""What a column of text holds: numbers, dates, yes and no, categories, or what no model can use as it is.

The rules, in this order: all missing; a number where at least 19 of 20 cells are one (the rest count as
missing, and it is said); a date; two words of yes and no; a category. A numbering, words that are all
different, and prose are no categories, and are left out of the inputs. Polars is imported late.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudtui_engine.data.table_target import LONGEST_WORD
from cloudtui_engine.data.tables import Column, Finding, Type
from cloudtui_engine.sanitize import clean_line
from cloudtui_features.tabular import MISSING

if TYPE_CHECKING:
    import polars as pl

NUMBERS_AT_LEAST = 0.95
MOST_WORDS = 1000
"""More different words than this, and more than half of them different, is no category."""
_DATES = ("", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
_POLARS_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")
_YES_NO = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})
_ID_NAME = re.compile(r"^(id|index|uuid|guid|row|row_?(id|number)|unnamed: 0|.*(_id|Id|ID|_uuid))$")
_COMMA = r"^[+-]?\d+(,\d+)?([eE][+-]?\d+)?$"
_LARGEST = float(np.finfo(np.float32).max)
_LEAST_ROWS_TO_JUDGE = 20
_PROSE_WORDS = 4.0


def typed(name: str, cells: pl.Series, findings: list[Finding], *, comma: bool = False) -> Column:
    """A column of text with its type found out; what was noticed is added to `findings`.

    With `comma`, numbers may be written with a decimal comma.
    """
    import polars as pl

    cells = cells.str.strip_chars()
    missing = cells.is_null() | cells.str.to_lowercase().is_in(list(MISSING))
    cells = pl.select(pl.when(~missing).then(cells)).to_series()
    present = len(cells) - cells.null_count()
    if not present:
        return Column(name, "number", np.full(len(cells), np.nan))
    if comma and cells.str.contains(_COMMA).all():
        findings.append(Finding("decimal_comma", f"{name}: the comma was read as that of decimals.", name))
        cells = cells.str.replace(",", ".", literal=True)
    numbers = _as_numbers(name, cells, present, findings)
    if numbers is not None:
        return numbers
    dates = _as_dates(name, cells, present, findings)
    return dates or category(name, cells)


def category(name: str, cells: pl.Series) -> Column:
    """A column of words, without those that stand for no value; `why_not` where they are no categories."""
    import polars as pl

    words = cells.drop_nulls().unique().sort().to_list()
    coded = cells.cast(pl.Enum(words)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    kind: Type = "boolean" if {word.lower() for word in words} in _YES_NO else "category"
    return Column(name, kind, coded.copy(), tuple(words), why_not=_no_category(name, cells, words))


def numeric(name: str, values: Any, findings: list[Finding]) -> Column:
    """A column of numbers as float64; what float32 cannot hold counts as missing."""
    values = np.array(values, dtype=np.float64)
    beyond = ~np.isnan(values) & ~(np.abs(values) <= _LARGEST)
    if beyond.any():
        values[beyond] = np.nan
        text = f"{name}: {int(beyond.sum()):,} infinite or enormous number(s) count as missing."
        findings.append(Finding("not_finite", text, name))
    there = values[~np.isnan(values)]
    whole = bool((there == np.floor(there)).all())
    return Column(name, "integer" if whole else "number", values, why_not=_numbering(name, there, whole))


def dated(name: str, days: Any, form: str, findings: list[Finding]) -> Column:
    """A column of dates, as days since 1970."""
    text = f"{name} holds dates; they are used as numbers, days since 1970-01-01."
    findings.append(Finding("date", text, name))
    return Column(name, "date", np.array(days, dtype=np.float64), form=form)


def _as_numbers(name: str, cells: pl.Series, present: int, findings: list[Finding]) -> Column | None:
    import polars as pl

    numbers = cells.cast(pl.Float64, strict=False)
    good = len(numbers) - numbers.null_count()
    if good < present and good < NUMBERS_AT_LEAST * present:
        return None
    if good < present:
        odd = cells.filter(numbers.is_null() & cells.is_not_null())
        text = (
            f"{name}: {present - good:,} of {present:,} cells are not numbers, for instance "
            f"{clean_line(repr(odd[0]), 40)}; they count as missing."
        )
        findings.append(Finding("not_numbers", text, name))
    return numeric(name, numbers.fill_null(float("nan")).to_numpy(), findings)


def _as_dates(name: str, cells: pl.Series, present: int, findings: list[Finding]) -> Column | None:
    import polars as pl

    first = cells.drop_nulls()[0]
    if not re.match(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", first):
        return None
    for form in _DATES:
        for written in (form,) if form else _POLARS_DATES:
            found = cells.str.strptime(pl.Datetime("us"), written, strict=False)
            if len(found) - found.null_count() == present:
                days = found.dt.epoch("us").cast(pl.Float64).fill_null(float("nan")).to_numpy() / 86400e6
                return dated(name, days, form, findings)
    return None


def _numbering(name: str, there: Any, whole: bool) -> str:
    """Why these numbers only tell rows apart; empty where they may mean something."""
    count = len(there)
    if not whole or count < _LEAST_ROWS_TO_JUDGE or len(np.unique(there)) < count:
        return ""
    if there.max() - there.min() == count - 1 and (np.diff(there) == 1).all():
        return "it numbers the rows"
    return "it is an identifier: its name says so and no two are alike" if _ID_NAME.match(name) else ""


def _no_category(name: str, cells: pl.Series, different: Sequence[str]) -> str:
    present = len(cells) - cells.null_count()
    if any(len(word) > LONGEST_WORD for word in different):
        return "it is free text"
    words = len(different)
    if present < _LEAST_ROWS_TO_JUDGE:
        return ""
    if words > 0.9 * present or (_ID_NAME.match(name) and words > 0.5 * present):
        return "it is free text" if _is_prose(cells) else "it is an identifier: nearly every value differs"
    if words > 0.5 * present and _is_prose(cells):
        return "it is free text"
    if words > MOST_WORDS and words > 0.5 * present:
        return f"it has {words:,} different values, too many for categories"
    return ""


def _is_prose(cells: pl.Series) -> bool:
    mean = cells.drop_nulls().str.count_matches(r"\S+").mean()
    return isinstance(mean, float) and mean >= _PROSE_WORDS
