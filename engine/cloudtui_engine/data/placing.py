"""A dataset version comes to be in a folder beside its place, and is renamed there when it is whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloudtui_engine.data.manifest import FILE_NAME, LIMIT, Manifest, canonical, manifest_of
from cloudtui_engine.errors import BadInputError, FailedError
from cloudtui_engine.sanitize import clean_line

_TEMPORARY = ".making-"
_MARGIN = 16 * 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def making(into: Path, needed: int) -> Iterator[Path]:
    """A folder to write a version in; gone at the end unless `place` renamed it.

    Refuses before writing where the disk has no room for `needed` bytes, and says so where it fills up on
    the way.

    Raises:
        FailedError: the disk is full, or cannot be written.
    """
    with _room(into, needed), _temporary(into) as folder:
        yield folder


def place(folder: Path, into: Path, data: Mapping[str, Any]) -> Manifest:
    """Write the manifest and rename the folder to its name; what already lies there whole is left alone.

    Raises:
        BadInputError: the manifest is too large to be read again.
    """
    content = canonical(data)
    if len(content) > LIMIT:
        raise BadInputError(
            f"What there is to say of the columns takes {len(content) / 1e6:,.0f} MB: too much.",
            "Leave out columns of many long words with --leave-out.",
        )
    manifest = manifest_of(data)
    _durable(folder / FILE_NAME, content)
    _rename(folder, into / manifest.sha256)
    return manifest


@contextmanager
def _room(into: Path, needed: int) -> Iterator[None]:
    try:
        into.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(into).free
        if free < needed + _MARGIN:
            raise _full(into, needed)
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(into, needed) from None
        raise FailedError(
            f"Cannot write to {clean_line(str(into))}: {error.strerror or error}.",
            "Choose another home with --home.",
        ) from None


def _full(into: Path, needed: int) -> FailedError:
    return FailedError(
        f"The disk of {clean_line(str(into))} is full: the dataset takes {needed / 1e6:,.1f} MB.",
        "Free some space, or choose another home with --home. Nothing was left behind.",
    )


@contextmanager
def _temporary(into: Path) -> Iterator[Path]:
    """A folder beside the target. Those of the dead are swept."""
    for old in into.glob(f"{_TEMPORARY}*"):
        owner = re.match(r"(\d+)-", old.name.removeprefix(_TEMPORARY))
        if owner and not _lives(int(owner[1])):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{os.getpid()}-", dir=into))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _durable(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _rename(folder: Path, target: Path) -> None:
    if (target / FILE_NAME).is_file():
        return
    folder.chmod(0o755)
    folder.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
