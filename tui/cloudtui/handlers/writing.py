"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cloudtui_engine.errors import FailedError, RefusedError, UsageError


def target_of(file: str, *, replace: bool = False) -> Path:
    """Where a file is to be written, with all that can be said before its content is made.

    Raises:
        UsageError: it is a folder, or has no name.
        RefusedError: it is there, and nobody said that it may be replaced.
        FailedError: its folder is not there.
    """
    target = Path(file).expanduser().absolute()
    if not file.strip() or target.is_dir():
        raise UsageError(f"{target} is a folder.", "Name the file to write.")
    if not target.parent.is_dir():
        raise FailedError(f"There is no folder {target.parent}.", "Make it, or choose another place.")
    if target.exists() and not replace:
        raise RefusedError(
            f"{target} exists.", "Replace it with --yes, or choose another name.", code="exists"
        )
    return target


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """A file to be filled, which gets its name once all of it is on the disk; after an error there is none.

    Raises:
        FailedError: the folder cannot be written, or the disk is full; what was there before is untouched.
    """
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name[:80]}.", delete=False
        ) as file:
            part = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise FailedError(f"{target} cannot be written: {error.strerror}.", "Choose another place.") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def write_whole(target: Path, text: str) -> int:
    """Write a text as a `whole_file`; returns its size in bytes."""
    data = text.encode("utf-8", "replace")
    with whole_file(target) as file:
        file.write(data)
    return len(data)


def free(folder: Path, stem: str, ending: str) -> Path:
    """A name in this folder that no file has: `resnet.html`, then `resnet-2.html`."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in stem).strip("-.")[:60] or "cloudtui"
    names = (folder / f"{plain}{'' if place == 1 else f'-{place}'}{ending}" for place in range(1, 10_000))
    return next((one for one in names if not one.exists()), folder / f"{plain}{ending}")
