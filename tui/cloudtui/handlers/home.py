"""Backing up a home, and putting a backup in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cloudtui.handlers.session import Session
from cloudtui_engine.errors import BadInputError, RefusedError


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that holds a home, or did."""

    file: Path
    home: Path
    size_bytes: int
    replaced: Path | None = None
    """Where the home that was there before lies now."""


def backup(session: Session, file: str) -> Backup:
    """Write the catalog, as it is at one moment, and all files that it speaks of."""
    from cloudtui_engine import backup as backups

    target = Path(file).expanduser().absolute()
    if target.is_dir():
        raise BadInputError(f"{target} is a folder.", "Name the file to write.")
    size = backups.backup(session.paths, target, _telling(session, "Copying"))
    return Backup(target, session.paths.home, size)


def restore(session: Session, file: str, yes: bool = False) -> Backup:
    """Put a backup in place of this home; the one that was there is kept beside it."""
    from cloudtui_engine import backup as backups

    source, paths = Path(file).expanduser().absolute(), session.paths
    if paths.catalog.exists() and not yes:
        raise RefusedError(
            f"There is a catalog in {paths.home}.", "Replace it with --yes; the old home is kept beside it.",
            code="needs_yes",
        )  # fmt: skip
    session.close()
    replaced = backups.restore(paths, source, force=yes, progress=_telling(session, "Restoring"))
    return Backup(source, paths.home, source.stat().st_size, replaced)


def _telling(session: Session, text: str) -> Callable[[int, int], None]:
    return lambda done, total: session.on_progress(text, done / total if total else None)
