"""The choice between the kinds of sources: a built-in name, a file, a folder."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from cloudtui_engine.data import digits, folders, idx
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

BUILT_IN = {"digits": "1,797 handwritten digits of 8 x 8 pixels, from scikit-learn"}
"""Sources that need no file: name and what it is."""

_SOURCES = (
    "Give a folder with one sub-folder a class, idx files (*-images-idx3-ubyte with their labels), "
    f"or a built-in name: {', '.join(BUILT_IN)}."
)
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.\w+|7z|rar)$", re.IGNORECASE)
_TABLE = re.compile(r"\.(csv|tsv|parquet|jsonl?|xlsx?)(\.gz)?$", re.IGNORECASE)


def open_source(source: str, progress: Progress) -> Opened:
    """Look at a source, without reading its rows.

    Raises:
        BadInputError: there is no such thing, or nothing in it that can be used.
    """
    if source in BUILT_IN:
        return digits.open_digits()
    path = _existing(source)
    if path.is_dir():
        return idx.open_idx(path) if idx.images_in(path) else folders.open_folder(path, progress)
    if path.is_file() and idx.is_images(path.name):
        return idx.open_idx(path)
    raise BadInputError(f"Cannot use {clean_line(str(path))}: {_why_not(path)}", _SOURCES)


def _why_not(path: Path) -> str:
    if not path.is_file():
        return "it is neither a file nor a folder."
    if _ARCHIVE.search(path.name):
        return "it is an archive. Unpack it and give the folder."
    if _TABLE.search(path.name):
        return "it is a table, and this version prepares images."
    if idx.is_labels(path.name):
        return "these are labels. Give the images beside them, or the folder."
    return "it is not a file of images that cloudtui knows."


def _existing(source: str) -> Path:
    if re.match(r"^\w[\w+.-]*://", source):
        raise BadInputError(
            f"Cannot read {clean_line(source)}: this version reads files of this machine.",
            "Copy it here and give its path.",
        )
    try:
        path = Path(source).expanduser()
        path.stat()
    except FileNotFoundError:
        raise BadInputError(f"There is no {clean_line(str(path))}.", _nearby(path)) from None
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"Cannot read {clean_line(source)}: {why}.", _SOURCES) from None
    return path


def _nearby(path: Path) -> str:
    names = list(BUILT_IN)
    try:
        names += [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"There is no folder {clean_line(str(path.parent))} either."
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    return f"Near it: {', '.join(clean_line(name) for name in close)}." if close else _SOURCES
