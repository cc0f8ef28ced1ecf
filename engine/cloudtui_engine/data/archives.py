"""Archives of data: unpacked beside the place of the version, read, and gone again.

What they hold is a stranger's: a member that is no plain file below the folder refuses the whole.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cloudtui_engine.data import pictures
from cloudtui_engine.data.member_names import why_not
from cloudtui_engine.data.opened import Progress
from cloudtui_engine.data.placing import making
from cloudtui_engine.errors import BadInputError, CloudtuiError, FailedError
from cloudtui_engine.sanitize import clean_line

NAME = re.compile(r"\.(zip|tar|tgz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
MARGIN = 64 * 1024 * 1024
"""So much room stays free."""
_PIECE = 1 << 20
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""A password makes a RuntimeError, an unknown packing a NotImplementedError."""


@contextmanager
def as_plain(source: str, into: Path, progress: Progress) -> Iterator[str]:
    """The source as it is, or what an archive holds; whether it is there is not asked here."""
    if NAME.search(source) and (path := Path(os.path.expanduser(source))).is_file():  # noqa: PTH111 - never raises
        with unpacked(path, into, progress) as folder:
            yield str(folder)
    else:
        yield source


@contextmanager
def unpacked(archive: Path, into: Path, progress: Progress) -> Iterator[Path]:
    """The folder of an archive, or its one file; gone at the end.

    Raises:
        BadInputError: it is damaged, or holds what is no plain file of a name that can be.
        FailedError: there is no room for it.
    """
    shown = clean_line(archive.name)
    with making(into, archive.stat().st_size) as folder:
        try:
            (_unzip if archive.suffix.lower() == ".zip" else _untar)(archive, folder, progress)
        except _DAMAGE as error:
            raise BadInputError(
                f"{shown} cannot be unpacked: {clean_line(str(error), 120) or 'it is damaged'}.",
                "Pack it again as a plain zip or tar, without a password.",
            ) from None
        root = _root(folder)
        try:
            yield root
        except CloudtuiError as error:  # where it lay meanwhile means nothing to anybody
            error.message = error.message.replace(str(root), shown)
            error.args = (error.message,)
            raise


def _unzip(archive: Path, folder: Path, progress: Progress) -> None:
    with zipfile.ZipFile(archive) as packed:
        members = [
            one for one in packed.infolist() if not one.is_dir() and not _is_of_a_desktop(one.filename)
        ]
        total = sum(one.file_size for one in members)
        _check_room(archive, folder, total)
        done = 0
        for one in members:
            if stat.S_ISLNK(one.external_attr >> 16):
                raise _refused(archive, one.filename, "it is a link")
            with packed.open(one) as content:  # gives no more than `file_size`, and checks its sum
                _write(archive, folder, one.filename, content)
            done += one.file_size
            progress(f"Unpacking {clean_line(archive.name)}", done, total)


def _untar(archive: Path, folder: Path, progress: Progress) -> None:
    with tarfile.open(archive) as packed:
        for one in packed:
            name = one.name.removeprefix("./")
            if one.isdir() or _is_of_a_desktop(name):
                continue
            content = packed.extractfile(one) if one.isreg() else None
            if content is None:
                raise _refused(archive, name, "it is a link or no file")
            _check_room(archive, folder, one.size)
            _write(archive, folder, name, content)
            progress(f"Unpacking {clean_line(archive.name)}", 0, 0)


def _write(archive: Path, folder: Path, name: str, content: IO[bytes]) -> None:
    if why := why_not(name):
        raise _refused(archive, name, why)
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            shutil.copyfileobj(content, out, _PIECE)
    except (FileExistsError, NotADirectoryError):
        raise _refused(archive, name, "another one has that path") from None


def _check_room(archive: Path, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN:
        raise FailedError(
            f"There is no room to unpack {clean_line(archive.name)}: {needed / 1e6:,.1f} MB more, and "
            f"{free / 1e6:,.1f} MB are free.",
            "Free some space, or choose another home with --home.",
        )


def _is_of_a_desktop(name: str) -> bool:
    """What macOS puts beside the files."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"


def _refused(archive: Path, name: str, why: str) -> BadInputError:
    return BadInputError(
        f"A member of {clean_line(archive.name)} cannot be a file here: {why}. Its name is "
        f"{clean_line(ascii(name), 200)}.",
        "Pack it again without it.",
    )


def _root(folder: Path) -> Path:
    """What is meant: the one file, or the folder that others are packed in, unless that one is a class."""
    entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if len(entries) != 1:
        return folder
    only = entries[0]
    if only.is_file():
        return only
    is_class = any(path.suffix.lower() in pictures.SUFFIXES for path in only.iterdir())
    return folder if is_class else _root(only)
