"""Parquet files, and folders of their parts. Polars reads them here; what hosts get are arrays."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cloudtui_engine.data.column_types import dated, numeric, typed
from cloudtui_engine.data.csv_files import MOST_CELLS, need_polars
from cloudtui_engine.data.opened import Progress
from cloudtui_engine.data.tables import MOST_COLUMNS, Column, Finding, Table
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    import polars as pl

NAME = re.compile(r"\.(parquet|pq)$", re.IGNORECASE)


def parts_in(folder: Path) -> list[Path]:
    """The parts of one table, in order, where a folder has those and nothing else that counts.

    What begins with a dot or an underscore (`_SUCCESS`) does not count, as everywhere where parts are read.
    """
    found: list[Path] = []
    for here, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith((".", "_"))]
        found += [Path(here, name) for name in names if not name.startswith((".", "_"))]
    return sorted(found) if all(NAME.search(path.name) for path in found) else []


def open_parts(folder: Path, parts: Sequence[Path], progress: Progress) -> Table:
    """Read the parts as one table; folders named `year=2026` below are a column `year`.

    Raises:
        BadInputError: as `open_parquet`; or a part has other columns than the first.
    """
    by_name = any("=" in name for path in parts for name in path.relative_to(folder).parts[:-1])
    return _read(clean_line(folder.name), parts, progress, by_name=by_name)


def open_parquet(path: Path, progress: Progress) -> Table:
    """Read a Parquet file. Columns of lists and structures are kept as columns that cannot be used.

    Raises:
        BadInputError: it is damaged, empty or too large.
    """
    return _read(clean_line(path.name), [path], progress, by_name=False)


def _read(shown: str, files: Sequence[Path], progress: Progress, *, by_name: bool) -> Table:
    need_polars()
    import polars as pl

    try:
        rows = pl.scan_parquet(list(files), hive_partitioning=by_name)
        schema = rows.collect_schema()
        _check_size(shown, len(schema), rows.select(pl.len()).collect().item())
        flat = [name for name, kind in schema.items() if not kind.is_nested() and kind != pl.Object]
        frame = pl.read_parquet(list(files), columns=flat, hive_partitioning=by_name)
    except pl.exceptions.PanicException:  # what some damage leads to: none of its errors, nor an Exception
        raise BadInputError(f"{shown} cannot be read as Parquet: it is damaged.", "Write it again.") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        why = clean_line(str(error).splitlines()[0] if str(error) else "damaged", 120)
        raise BadInputError(f"{shown} cannot be read as Parquet: {why}.", "Write the file again.") from None
    findings: list[Finding] = []
    columns: list[Column] = []
    for place, name in enumerate(schema, 1):
        if name in flat:
            columns.append(_column(clean_line(name, 200), frame[name], findings))
        else:
            columns.append(_closed(clean_line(name, 200), len(frame), "it holds lists or structures"))
        progress("Looking at columns", place, len(schema))
    names = [column.name for column in columns]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise BadInputError(f"{shown} has two columns named {twice}.", "Rename one.")
    return Table(columns, {"kind": "parquet"}, findings=findings)


def _check_size(shown: str, columns: int, rows: int) -> None:
    if not rows or not columns:
        raise BadInputError(f"{shown} has no rows.", "Give a file with rows.")
    if columns < 2:
        raise BadInputError(
            f"{shown} has one column only.", "A table needs a column to predict and one to predict it from."
        )
    if columns > MOST_COLUMNS:
        raise BadInputError(
            f"{shown} has {columns:,} columns; {MOST_COLUMNS:,} can be used.",
            "Choose the columns that matter and save those.",
        )
    if rows * columns > MOST_CELLS:
        raise BadInputError(f"{shown} has more than {MOST_CELLS:,} cells.", "Give a part of the rows.")


def _column(name: str, cells: pl.Series, findings: list[Finding]) -> Column:
    import polars as pl

    kind = cells.dtype
    if kind.is_numeric():
        return numeric(name, cells.cast(pl.Float64).fill_null(float("nan")).to_numpy(), findings)
    if kind in {pl.Date, pl.Datetime}:
        moments = cells.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64)
        return dated(name, moments.fill_null(float("nan")).to_numpy() / 86400e6, "", findings)
    if kind.is_temporal():
        seconds = cells.to_physical().cast(pl.Float64).fill_null(float("nan"))
        return numeric(name, seconds.to_numpy() / 1e9, findings)
    if kind == pl.Binary:
        return _closed(name, len(cells), "it holds bytes")
    return typed(name, cells.cast(pl.String), findings)


def _closed(name: str, rows: int, why_not: str) -> Column:
    """A column whose values are not looked into."""
    return Column(name, "category", np.zeros(rows, dtype=np.int64), why_not=why_not)
