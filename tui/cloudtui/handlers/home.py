"""Backing up a home, and putting a backup in its place."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cloudtui.handlers.session import Session
from cloudtui_engine.errors import BadInputError, FailedError, RefusedError
from cloudtui_engine.paths import Paths

_CATALOG = "catalog.db"
_FOLDERS = ("files", "data", "logs", "scripts")
_SINGLE = ("known_hosts",)
_TOP = frozenset({_CATALOG, *_FOLDERS, *_SINGLE})


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that holds a home, or did."""

    file: Path
    home: Path
    size_bytes: int
    files: int
    replaced: Path | None = None
    """Where the catalog that was there before lies now."""


def backup(session: Session, file: str) -> Backup:
    """Write the catalog, as it is at one moment, and all files that it speaks of."""
    from cloudtui_engine.catalog.integrity import snapshot

    target = Path(file).expanduser().absolute()
    if target.is_dir():
        raise BadInputError(f"{target} is a folder.", "Name the file to write.")
    part = target.with_name(f".{target.name}.part")
    count = 0
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".cloudtui-") as work:
            copy = Path(work) / _CATALOG
            session.on_progress("Copying the catalog", None)
            snapshot(session.paths, copy)
            with tarfile.open(part, "w") as tar:
                tar.add(copy, _CATALOG)
                # The catalog is copied first: a file that it speaks of is there by then.
                for path in _kept(session.paths):
                    name = path.relative_to(session.paths.home)
                    session.on_progress(f"Copying {name.parts[0]}", None)
                    tar.add(path, str(name), recursive=False)
                    count += 1
        part.chmod(0o600)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FailedError(
            f"{target} cannot be written: {error.strerror or error}.", "Choose another place."
        ) from None
    return Backup(target, session.paths.home, target.stat().st_size, count + 1)


def _kept(paths: Paths) -> list[Path]:
    found = [paths.home / name for name in _SINGLE if (paths.home / name).is_file()]
    for folder in _FOLDERS:
        for path in sorted((paths.home / folder).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(paths.home).parts)
            # What begins with a dot is still being written.
            if path.is_file() and not path.is_symlink() and not hidden:
                found.append(path)
    return found


def restore(session: Session, file: str, yes: bool = False) -> Backup:
    """Put a backup in place of this home's catalog; the one that was there is kept beside it."""
    from cloudtui_engine.lock import is_held

    source, paths = Path(file).expanduser().absolute(), session.paths
    if not source.is_file():
        raise BadInputError(f"There is no file {source}.", "Name a file that backup wrote.")
    if paths.catalog.exists() and not yes:
        raise RefusedError(
            f"There is a catalog in {paths.home}.", "Replace it with --yes; the old one is kept in backups/.",
            code="needs_yes",
        )  # fmt: skip
    if is_held(paths):
        raise RefusedError(
            "An engine runs for this home.", "End it first: cloudtui engine stop", code="engine_runs"
        )
    session.close()
    try:
        paths.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=paths.home, prefix=".restore-") as work:
            count = _unpack(source, Path(work))
            replaced = _set_aside(paths)
            _put_in_place(Path(work), paths)
    except OSError as error:
        raise FailedError(
            f"{source} cannot be restored: {error.strerror or error}.", "Is there room?"
        ) from None
    return Backup(source, paths.home, source.stat().st_size, count, replaced)


def _unpack(source: Path, work: Path) -> int:
    """Unpack into an empty folder and see that it is a home with a whole catalog."""
    from cloudtui_engine.catalog import Catalog
    from cloudtui_engine.catalog.integrity import check

    try:
        with tarfile.open(source, "r:*") as tar:
            members = tar.getmembers()
            strange = [m.name for m in members if Path(m.name).parts[:1] not in {(name,) for name in _TOP}]
            if strange or _CATALOG not in {member.name for member in members}:
                raise BadInputError(f"{source} is no backup of cloudtui.", "Name a file that backup wrote.")
            tar.extractall(work, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise BadInputError(f"{source} cannot be read: {error}.", "Name a file that backup wrote.") from None
    if wrong := check(Paths(work)):
        raise BadInputError(f"The catalog in {source} is damaged: {wrong[0]}", "Use another backup.")
    # A newer program's catalog is refused here, and an older one's upgraded, before anything is replaced.
    Catalog.open(Paths(work), create=False).close()
    return len(members)


def _set_aside(paths: Paths) -> Path | None:
    if not paths.catalog.exists():
        return None
    paths.backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = paths.backups / f"before-restore-{time.time_ns()}.db"
    paths.catalog.replace(kept)
    for ending in ("-wal", "-shm"):
        beside = Path(f"{paths.catalog}{ending}")
        if beside.exists():
            beside.replace(Path(f"{kept}{ending}"))
    return kept


def _put_in_place(work: Path, paths: Paths) -> None:
    for folder in _FOLDERS:
        for path in sorted((work / folder).rglob("*")):
            if path.is_file():
                target = paths.home / path.relative_to(work)
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.replace(target)
    for name in _SINGLE:
        if (work / name).is_file():
            (work / name).replace(paths.home / name)
    # The catalog comes last: until then nothing speaks of the files.
    for name in (f"{_CATALOG}-wal", _CATALOG):
        if (work / name).exists():
            shutil.move(work / name, paths.home / name)
