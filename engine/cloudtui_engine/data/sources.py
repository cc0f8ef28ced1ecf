"""The choice between the kinds of sources: a built-in name, a file, a folder."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from cloudtui_engine.data import archives, built_in, csv_files, folders, idx, parquet_files
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.tables import Table
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

BUILT_IN = built_in.BUILT_IN
"""Sources that need no file: name and what it is."""

_SOURCES = (
    "Give a table (CSV, TSV, Parquet, or a folder of its parts), a folder with one sub-folder a class, idx "
    "files (*-images-idx3-ubyte with their labels), a zip or tar of one of these, or a built-in name: "
    f"{', '.join(BUILT_IN)}."
)
_ARCHIVE = re.compile(r"\.(tar\.\w+|7z|rar)$", re.IGNORECASE)
_OTHER_TABLE = re.compile(r"\.(jsonl?|xlsx?|ods|feather|arrow|orc)(\.gz)?$", re.IGNORECASE)
_ON_A_HOST = re.compile(r"^[A-Za-z0-9][\w.-]+:/")


def open_source(
    source: str, progress: Progress, *, downloads: Path, header: bool | None = None
) -> Opened | Table:
    """Look at a source; the rows of a table are read, those of pictures are not yet.

    Raises:
        BadInputError: there is no such thing, or nothing in it that can be used.
        UnreachableError: it must be fetched, and cannot be.
    """
    if built_in.is_known(source):
        return built_in.open_built_in(source, downloads, progress)
    path = _existing(source)
    if path.is_dir():
        return _open_folder(path, progress)
    if path.is_file() and idx.is_images(path.name):
        return idx.open_idx(path)
    if path.is_file() and csv_files.NAME.search(path.name):
        return csv_files.open_csv(path, progress, header=header)
    if path.is_file() and parquet_files.NAME.search(path.name):
        return parquet_files.open_parquet(path, progress)
    raise BadInputError(f"Cannot use {clean_line(str(path))}: {_why_not(path)}", _SOURCES)


def _open_folder(path: Path, progress: Progress) -> Opened | Table:
    if idx.images_in(path):
        return idx.open_idx(path)
    parts = parquet_files.parts_in(path)
    return parquet_files.open_parts(path, parts, progress) if parts else folders.open_folder(path, progress)


def check_kind(name: str) -> None:
    """See that a file of this name can be read, before it is brought from far away.

    Raises:
        BadInputError: it cannot.
    """
    kinds = (csv_files.NAME, parquet_files.NAME, archives.NAME)
    if not idx.is_images(name) and not any(kind.search(name) for kind in kinds):
        raise BadInputError(f"Cannot use {clean_line(name)}: {_why_not_a(name)}", _SOURCES)


def _why_not(path: Path) -> str:
    return _why_not_a(path.name) if path.is_file() else "it is neither a file nor a folder."


def _why_not_a(name: str) -> str:
    if _ARCHIVE.search(name):
        return "it is an archive of a kind that is not read. Unpack it and give the folder."
    if _OTHER_TABLE.search(name):
        return "it is a table of a kind that is not read. Save it as CSV or Parquet."
    if idx.is_labels(name):
        return "these are labels. Give the images beside them, or the folder."
    return "it is neither a table nor a file of images that cloudtui knows."


def _existing(source: str) -> Path:
    if re.match(r"^\w[\w+.-]*://", source):
        raise BadInputError(
            f"Cannot read {clean_line(source)}: files of this machine are read, and s3:// addresses.",
            "Copy it here and give its path.",
        )
    try:
        path = Path(source).expanduser()
        path.stat()
    except FileNotFoundError:
        if _ON_A_HOST.match(source):
            raise BadInputError(
                f"There is no {clean_line(source)} here, and no machine of that name is known.",
                "Data on a machine is named MACHINE:/path; see cloudtui instance list.",
            ) from None
        raise BadInputError(
            f"There is no {clean_line(str(path))}.", nearby(path, BUILT_IN) or _SOURCES
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"Cannot read {clean_line(source)}: {why}.", _SOURCES) from None
    return path


def nearby(path: Path, more: Iterable[str] = ()) -> str:
    """A sentence on what there is beside a path that is not there; empty where nothing is like it."""
    names = list(more)
    try:
        names += [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"There is no folder {clean_line(str(path.parent))} either."
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    return f"Near it: {', '.join(clean_line(name) for name in close)}." if close else ""
