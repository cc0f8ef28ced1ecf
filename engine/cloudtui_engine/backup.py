"""A home in one file, and back: the catalog as it is at one moment, and the files that it speaks of."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.integrity import check, snapshot
from cloudtui_engine.errors import BadInputError, FailedError, RefusedError
from cloudtui_engine.lock import is_held
from cloudtui_engine.paths import Paths

CATALOG = "catalog.db"
FOLDERS = ("files", "data", "logs", "scripts")
"""What lies beside the catalog in a backup."""
SINGLE = ("known_hosts",)
_BLOCK = 1 << 20
_STORED = re.compile(r"files/[0-9a-f]{2}/([0-9a-f]{64})", re.ASCII)

Progress = Callable[[int, int], None]
"""Is told the bytes done and all bytes."""


def _silent(_done: int, _total: int) -> None:
    """For those who do not ask."""


def backup(paths: Paths, file: Path, progress: Progress = _silent) -> int:
    """Write a home into one tar file, while others go on using it; returns its size.

    The file appears when it is whole; one of that name is replaced.

    Raises:
        CatalogError: there is no catalog, or it is damaged.
        FailedError: the file cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".cloudtui-backup-") as work:
            copy = Path(work) / CATALOG
            # The catalog first: what it speaks of is on the disk by then, and stays there.
            snapshot(paths, copy)
            members = [(CATALOG, copy), *_kept(paths)]
            total = sum(path.stat().st_size for _, path in members)
            with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
                done = 0
                for name, path in members:
                    done += _add(tar, name, path)
                    progress(done, total)
        part.chmod(0o600)
        _sync(part)
        part.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise FailedError(
            f"{file} cannot be written: {error.strerror or error}.", "Choose another place."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def _kept(paths: Paths) -> list[tuple[str, Path]]:
    """Name in the backup and place of every file; what begins with a dot is still being written."""
    found = [(name, paths.home / name) for name in SINGLE if (paths.home / name).is_file()]
    for folder in FOLDERS:
        for path in sorted((paths.home / folder).rglob("*")):
            name = path.relative_to(paths.home)
            if (
                path.is_file()
                and not path.is_symlink()
                and not any(part.startswith(".") for part in name.parts)
            ):
                found.append((name.as_posix(), path))
    return found


def _add(tar: tarfile.TarFile, name: str, path: Path) -> int:
    """Add as much of a file as it has now; a log may grow meanwhile, and a file may go."""
    with suppress(FileNotFoundError), path.open("rb") as source:
        member = tarfile.TarInfo(name)
        found = os.fstat(source.fileno())
        member.size, member.mtime, member.mode = found.st_size, int(found.st_mtime), 0o600
        tar.addfile(member, source)
        return member.size
    return 0


def restore(paths: Paths, file: Path, *, force: bool = False, progress: Progress = _silent) -> Path | None:
    """Put a backup in place of a home, after it was unpacked beside it and found whole.

    Args:
        paths: the home.
        file: what `backup` wrote.
        force: replace the home that is there; it is moved aside, not deleted.
        progress: is told how far it is.

    Returns:
        Where the home that was there lies now; None where there was none.

    Raises:
        RefusedError: there is a home, and no `force`.
        BadInputError: the file is no whole backup; the home is as it was.
        CatalogError: its catalog was made by a newer program.
        FailedError: there is no room, or no permission.
    """
    if not file.is_file():
        raise BadInputError(f"There is no file {file}.", "Name a file that backup wrote.")
    if paths.catalog.exists() and not force:
        raise RefusedError(
            f"There is a catalog in {paths.home}.",
            "Force it: the old home is kept beside the new one.",
            code="needs_force",
        )
    if is_held(paths):
        raise RefusedError(
            "An engine runs for this home.", "End it first: cloudtui engine stop", code="engine_runs"
        )
    try:
        paths.home.parent.mkdir(parents=True, exist_ok=True)
        with _workplace(paths.home) as work:
            _unpack(file, work, progress)
            _verify(Paths(work), file)
            return _replace(work, paths.home)
    except OSError as error:
        raise FailedError(
            f"{file} cannot be restored: {error.strerror or error}.", "Is there room?"
        ) from error


@contextmanager
def _workplace(home: Path) -> Iterator[Path]:
    """A new folder on the home's file system; gone afterwards unless it became the home."""
    work = Path(tempfile.mkdtemp(dir=home.parent, prefix=f".{home.name}-restore-"))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpack(file: Path, work: Path, progress: Progress) -> None:
    """Only plain files, only below the folders we know, only once each, whatever the archive says."""
    seen: set[str] = set()
    try:
        with tarfile.open(file, "r:*") as tar:
            total = file.stat().st_size
            for member in tar:
                name = _checked_name(member, file)
                if name in seen:
                    raise BadInputError(f"{file} holds {name} twice.", "Use another backup.")
                seen.add(name)
                target = work / name
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                source = tar.extractfile(member)
                if source is None:
                    raise BadInputError(f"{name} in {file} cannot be read.", "Use another backup.")
                with source, target.open("xb") as out:
                    shutil.copyfileobj(source, out, _BLOCK)
                target.chmod(0o600)
                progress(min(member.offset_data + member.size, total), total)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadInputError(
            f"{file} is no backup that can be read: {error}.", "Use another backup."
        ) from error
    if CATALOG not in seen:
        raise BadInputError(f"{file} is no backup of cloudtui.", "Name a file that backup wrote.")


def _checked_name(member: tarfile.TarInfo, file: Path) -> str:
    path = PurePosixPath(member.name)
    known = member.name in {CATALOG, *SINGLE} or (len(path.parts) > 1 and path.parts[0] in FOLDERS)
    if (
        not member.isreg()
        or not known
        or path.is_absolute()
        or ".." in path.parts
        or str(path) != member.name
    ):
        raise BadInputError(
            f"{file} is no backup of cloudtui: it holds {member.name!r}.", "Name a file that backup wrote."
        )
    return member.name


def _verify(unpacked: Paths, file: Path) -> None:
    """The catalog is whole and of a version that we know, and stored files are what their names say."""
    if wrong := check(unpacked):
        raise BadInputError(f"The catalog in {file} is damaged: {wrong[0]}.", "Use another backup.")
    for path in unpacked.files.rglob("*"):
        named = _STORED.fullmatch(path.relative_to(unpacked.home).as_posix())
        if path.is_file() and (named is None or _sha256(path) != named[1]):
            raise BadInputError(f"{path.name} in {file} is damaged.", "Use another backup.")
    for manifest in sorted(unpacked.data.glob("*/manifest.json")):
        if not _dataset_is_whole(manifest):
            raise BadInputError(
                f"Dataset {manifest.parent.name} in {file} is damaged.", "Use another backup."
            )
    Catalog.open(unpacked, create=False).close()


def _dataset_is_whole(manifest: Path) -> bool:
    """The folder's name is the manifest's hash, and its files are those that the manifest names."""
    folder = manifest.parent
    try:
        said = json.loads(manifest.read_bytes())
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        files = {str(name): str(one["sha256"]) for name, one in said["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return hashlib.sha256(canonical).hexdigest() == folder.name and all(
        ".." not in PurePosixPath(name).parts
        and (folder / name).is_file()
        and _sha256(folder / name) == sha256
        for name, sha256 in files.items()
    )


def _replace(work: Path, home: Path) -> Path | None:
    aside: Path | None = None
    if home.exists():
        aside = home.with_name(f"{home.name}-before-restore-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        home.rename(aside)
    try:
        work.chmod(0o700)
        work.rename(home)
    except OSError:
        if aside is not None:
            aside.rename(home)
        raise
    _sync(home.parent)
    return aside


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
