"""CSV and TSV files, packed with gzip or not, read once from top to bottom.

The standard library's reader is used for its line numbers: a short line is an error that names the line,
where a faster reader fills it with nothing.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from cloudtui_engine.data.column_types import typed
from cloudtui_engine.data.opened import Progress
from cloudtui_engine.data.tables import MOST_COLUMNS, Column, Finding, Table
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line
from cloudtui_features.tabular import MISSING

if TYPE_CHECKING:
    import polars as pl

NAME = re.compile(r"\.(csv|tsv|tab)(\.gz)?$", re.IGNORECASE)
DELIMITERS = (",", "\t", ";", "|")
MOST_CELLS = 100_000_000
LONGEST_LINE = 16 * 1024 * 1024
_HEAD = 256 * 1024
_SAMPLE_ROWS = 200
_CHUNK = 20_000
_DAMAGE = (OSError, EOFError, zlib.error)
_WORD = re.compile(r"[^\W\d]")


class _Strict(csv.excel):
    skipinitialspace = True
    strict = True


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    has_header: bool


def open_csv(path: Path, progress: Progress, *, header: bool | None = None) -> Table:
    """Read a CSV or TSV file.

    Args:
        path: the file; `.gz` is unpacked on the way.
        progress: told how many rows are read.
        header: whether its first line names the columns; None to see it.

    Raises:
        BadInputError: it is no table; the message names the line.
    """
    need_polars()
    findings: list[Finding] = []
    try:
        table = _read(path, "utf-8-sig", header, findings, progress)
    except UnicodeDecodeError:
        findings = [Finding("encoding", "The file is not UTF-8; it was read as Latin-1.")]
        table = _read(path, "latin-1", header, findings, progress)
    return table


def need_polars() -> None:
    """Find Polars.

    Raises:
        BadInputError: it is not installed.
    """
    try:
        import polars  # noqa: F401 - an optional library
    except ImportError:
        raise BadInputError(
            "Reading tables needs Polars, which is not installed.", "pip install 'cloudtui[data]'"
        ) from None


def _read(
    path: Path, encoding: str, header: bool | None, findings: list[Finding], progress: Progress
) -> Table:
    dialect = look(path, encoding, header)
    if header is None and not dialect.has_header:
        text = "The first line looks like data, so the columns are called by their number."
        findings.append(Finding("header", text))
    columns = _columns(path, dialect, findings, progress)
    source = {"kind": "csv", "delimiter": dialect.delimiter, "header": dialect.has_header}
    return Table(columns, {**source, "encoding": dialect.encoding}, findings=findings)


def look(path: Path, encoding: str, header: bool | None) -> Dialect:
    """See from its beginning how the file is written.

    Raises:
        BadInputError: it is empty, binary or has one column only.
    """
    head = _head(path)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadInputError(f"{_shown(path)} is UTF-16.", "Save it as UTF-8.")
    if b"\0" in head:
        raise BadInputError(
            f"{_shown(path)} is not text: it holds NUL bytes.", "Give a CSV file in UTF-8, or Parquet."
        )
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise BadInputError(f"{_shown(path)} is empty.", "Give a file with a line for each row.")
    text = codecs.getincrementaldecoder(encoding)().decode(head)
    delimiter, sample = _delimiter(path, text, whole=len(head) < _HEAD)
    width = len(sample[0])
    if width > MOST_COLUMNS:
        raise BadInputError(
            f"{_shown(path)} has {width:,} columns; {MOST_COLUMNS:,} can be used.",
            "Choose the columns that matter and save those.",
        )
    has_header = _has_header(sample) if header is None else header
    names = [cell.strip() for cell in sample[0]] if has_header else [""] * width
    names = [clean_line(name, 200) or f"column_{place}" for place, name in enumerate(names, 1)]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise BadInputError(
            f"{_shown(path)} has two columns named {twice}.", "Rename one, or give --no-header."
        )
    return Dialect(encoding, delimiter, tuple(names), has_header)


def _delimiter(path: Path, text: str, *, whole: bool) -> tuple[str, list[list[str]]]:
    """What stands between the cells: what gives most lines as many cells as the first, more than one."""
    best: tuple[float, int, str, list[list[str]]] | None = None
    for delimiter in ("\t", ",", ";", "|") if ".ts" in path.name.lower() else DELIMITERS:
        rows = _sample(text, delimiter, whole=whole)
        if rows and len(rows[0]) > 1:
            same = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            if best is None or (same, len(rows[0])) > best[:2]:
                best = (same, len(rows[0]), delimiter, rows)
    if best is None:
        raise BadInputError(
            f"{_shown(path)} has one column only.",
            "A table needs a column to predict and one to predict it from, apart by comma, tab, ; or |.",
        )
    return best[2], best[3]


def _sample(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(text.splitlines(keepends=True), _Strict, delimiter=delimiter)
    try:
        for row in islice(reader, _SAMPLE_ROWS):
            rows.append(row)
    except csv.Error:
        pass  # told with its line when the file is read
    rows = [row for row in rows if row]
    return rows if whole or len(rows) in {1, _SAMPLE_ROWS} else rows[:-1]


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """The first line is words; one of them stands above numbers, or none is a value of its own column."""
    first = [cell.strip() for cell in rows[0]]
    if any(_is_number(cell) or cell.lower() in MISSING - {""} for cell in first):
        return False
    for place, cell in enumerate(first):
        below = [row[place].strip() for row in rows[1:] if place < len(row)]
        below = [value for value in below if value.lower() not in MISSING]
        if cell and below and all(map(_is_number, below)):
            return True
    if len({*first}) < len(first):
        return False
    return not any(
        cell and cell == row[place].strip()
        for place, cell in enumerate(first)
        for row in rows[1:]
        if place < len(row)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _columns(path: Path, dialect: Dialect, findings: list[Finding], progress: Progress) -> list[Column]:
    import polars as pl

    parts: list[list[pl.Series]] = [[] for _ in dialect.names]
    rows = 0
    with _opened(path) as packed, io.TextIOWrapper(packed, encoding=dialect.encoding, newline="") as file:
        reader = _rows(path, file, dialect)
        while chunk := list(islice(reader, _CHUNK)):
            for part, cells in zip(parts, zip(*chunk, strict=True), strict=True):
                part.append(pl.Series(cells, dtype=pl.String))
            rows += len(chunk)
            if rows * len(parts) > MOST_CELLS:
                raise BadInputError(
                    f"{_shown(path)} has more than {MOST_CELLS:,} cells.", "Give a part of the rows."
                )
            progress(f"Reading rows: {rows:,}", rows, 0)
    if not rows:
        raise BadInputError(f"{_shown(path)} has a header and no rows.", "Add rows below it.")
    columns = []
    for place, (name, part) in enumerate(zip(dialect.names, parts, strict=True), 1):
        columns.append(typed(name, pl.concat(part), findings, comma=dialect.delimiter == ";"))
        part.clear()
        progress("Looking at columns", place, len(parts))
    return columns


def _rows(path: Path, file: IO[str], dialect: Dialect) -> Iterator[list[str]]:
    """The rows below the header; blank lines are passed over."""
    width = len(dialect.names)
    reader = csv.reader(_lines(path, file), _Strict, delimiter=dialect.delimiter)
    header = dialect.has_header
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != width:
                raise BadInputError(
                    f"Line {reader.line_num} of {_shown(path)} has {len(row)} cells; those above {width}.",
                    "Correct the line: a missing or extra separator, or quotes that do not close.",
                )
            if header:
                header = False
                continue
            yield row
    except csv.Error as error:
        raise BadInputError(
            f"Line {reader.line_num} of {_shown(path)} cannot be read: {clean_line(str(error))}.",
            "Look for quotes that do not close.",
        ) from None
    except _DAMAGE as error:
        raise BadInputError(
            f"{_shown(path)} is damaged: {clean_line(str(error))}.", "Fetch it again."
        ) from None


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if "\0" in line:
            raise BadInputError(f"Line {number} of {_shown(path)} holds a NUL byte.", "Give a file of text.")
        if len(line) >= LONGEST_LINE:
            raise BadInputError(f"Line {number} of {_shown(path)} is too long.", "Give a file of lines.")
        yield line


def _head(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(_HEAD)
    except _DAMAGE as error:
        raise BadInputError(
            f"{_shown(path)} is damaged: {clean_line(str(error))}.", "Fetch it again."
        ) from None


def _opened(path: Path) -> IO[bytes]:
    try:
        return cast("IO[bytes]", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")
    except OSError as error:
        raise BadInputError(f"Cannot read {_shown(path)}: {error.strerror or error}.") from None


def _shown(path: Path) -> str:
    return clean_line(path.name)
