"""Opening the file: refuse what must not be opened, create what is missing, bring up to date what is old.

Several processes may do this at once: the header is looked at without a lock, and whoever finds work to do
takes the lock beside the catalog, looks again and does it in one `BEGIN IMMEDIATE` transaction.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cloudtui_engine import lock
from cloudtui_engine.catalog.file_systems import network_file_system
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.paths import Paths

VERSION = 7
"""The number of steps in `migrations`, which is only imported when one is due (it costs 0.13 s)."""
APPLICATION_ID = 0x636C7475
HEADER_BYTES = 100
_BUSY_S = 10.0
_ENGINE_S = 15.0
"""How long an engine may take to end."""
_SETTINGS = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    # What is wiped (a host's private key in an order) is nowhere in the file; many builds leave it there.
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -16000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 33554432",
)


def connect(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A connection as every thread gets one: waits for others, checks references, begins nothing itself."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, factory=factory
    )
    for setting in _SETTINGS:
        connection.execute(setting)
    return connection


def prepare(paths: Paths, create: bool, mounts: Callable[[], str]) -> None:
    """See that a catalog of this version is there.

    Raises:
        CatalogError: it is missing and not to be created, newer than this program, damaged, another program's
            database, on a network file system, or it cannot be written. It is untouched then.
    """
    path = paths.catalog
    try:
        exists = path.exists() and path.stat().st_size > 0
        if not exists and not create:
            raise CatalogError(
                f"There is no catalog in {paths.home}.",
                "Check --home and CLOUDTUI_HOME.",
                code="catalog_missing",
            )
        _refuse_network(paths.home, mounts)
        if exists and _version_of(path) == VERSION:
            return
        paths.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _lock(paths.home / "catalog.lock"):
            _upgrade(paths)
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except OSError as error:
        raise CatalogError(
            f"The catalog in {paths.home} cannot be opened: {error.strerror}.",
            "Check the permissions and free space of that folder, or choose another one with --home.",
        ) from error


def translate(error: sqlite3.Error, path: Path) -> CatalogError:
    """What went wrong with the file, for a person."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return CatalogError(
            f"The disk that holds the catalog is full: {path}.",
            "Free some space; nothing was lost.",
            code="disk_full",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return CatalogError(
            f"The catalog is held by another process for more than {_BUSY_S:.0f} s: {path}.",
            "Try again; if it stays so, look for a program that has the file open.",
            code="catalog_busy",
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return _damaged(path, str(error))
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return CatalogError(
            f"The catalog cannot be written: {path}.", "Check the permissions of file and folder."
        )
    return CatalogError(
        f"The catalog failed: {error} ({path}).", "Run `cloudtui doctor`, which checks the file."
    )


def _damaged(path: Path, why: str) -> CatalogError:
    return CatalogError(
        f"The catalog is damaged: {why} ({path}).",
        "It was left as it is. Restore a backup with `cloudtui restore FILE --yes`; copies from"
        " before upgrades lie in "
        f"{path.parent / 'backups'}.",
        code="catalog_damaged",
    )


def _refuse_network(home: Path, mounts: Callable[[], str]) -> None:
    place = home
    while not place.exists() and place != place.parent:
        place = place.parent
    kind = network_file_system(place, mounts())
    if kind:
        raise CatalogError(
            f"The catalog cannot live on a network file system ({kind}): {home}.",
            "SQLite's locks do not hold there. Choose a folder on a local disk with --home or CLOUDTUI_HOME.",
            code="catalog_network",
        )


def _version_of(path: Path) -> int:
    """The version of an existing catalog, without writing anything.

    SQLite alone opens the file. Closing a descriptor of our own would drop every POSIX lock that this process
    has on it (sqlite.org/howtocorrupt.html, 2.2): another process would take itself for the last one, and put
    away the write-ahead log that we still use.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)) as db:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        ours = int(db.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID
        tables = int(db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0])
        _check_size(path, db)
    if not ours and (tables or version):
        raise CatalogError(
            f"{path} is another program's database.", "Choose another folder with --home or CLOUDTUI_HOME."
        )
    if version > VERSION:
        raise CatalogError(
            f"The catalog was made by a newer cloudtui (format {version}, this program knows"
            f" {VERSION}): {path}.",
            "Upgrade this program: pip install --upgrade cloudtui. The catalog was not touched.",
            code="catalog_newer",
        )
    return version


def _check_size(path: Path, db: sqlite3.Connection) -> None:
    """See that the end of the file is there: cheap enough for every start."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        return  # Pages of the file may still be on their way from it.
    pages = int(db.execute("PRAGMA page_count").fetchone()[0])
    whole = pages * int(db.execute("PRAGMA page_size").fetchone()[0])
    size = path.stat().st_size
    if size < HEADER_BYTES:
        raise _damaged(path, "this is no SQLite database")
    if size < whole:
        raise _damaged(path, f"it should have {whole} bytes and has {size}")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _upgrade(paths: Paths) -> None:
    """Bring the catalog to this version, in one transaction, after a copy of what was there."""
    exists = paths.catalog.exists() and paths.catalog.stat().st_size > 0
    found = _version_of(paths.catalog) if exists else 0
    if found == VERSION:
        return
    if found:
        _end_older_engine(paths)
        _keep_copy(paths, found)
    import sqlite_utils

    from cloudtui_engine.catalog.migrations import migrations

    with closing(connect(paths.catalog)) as db:
        paths.catalog.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        migrations.apply(sqlite_utils.Database(db))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")  # without it, closing takes all of it back


def _end_older_engine(paths: Paths) -> None:
    """An engine of the older program would go on in the new tables by the old rules: it ends, jobs go on.

    Raises:
        CatalogError: it does not.
    """
    pid = lock.holder(paths)
    if pid is None or pid == os.getpid():
        return
    deadline = time.monotonic() + _ENGINE_S
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
    while lock.is_held(paths):
        if time.monotonic() > deadline:
            raise CatalogError(
                f"An engine of an older cloudtui holds the catalog (process {pid}), and does not end.",
                f"End it: kill -9 {pid}. Jobs on hosts go on; the catalog was not touched.",
                code="catalog_busy",
            )
        time.sleep(0.05)  # a lock of the kernel tells nobody that it is free, and flock has no time limit


def _keep_copy(paths: Paths, version: int) -> None:
    paths.backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    for half in paths.backups.glob("catalog-v*.part*"):
        half.unlink(missing_ok=True)  # of an upgrade that was killed, or found the disk full
    target = paths.backups / f"catalog-v{version}-{time.time_ns()}.db"
    part = target.with_suffix(".part")
    try:
        with closing(connect(paths.catalog)) as db, closing(sqlite3.connect(part)) as copy:
            db.backup(copy)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    for kept in paths.backups.glob("catalog-v*.db"):
        with suppress(sqlite3.Error):  # a copy that is damaged keeps nobody from an upgrade
            _take_out_secrets(kept)


def _take_out_secrets(copy: Path) -> None:
    """What is kept apart from the catalog now is in no copy of an older one either."""
    with closing(connect(copy)) as db:
        db.execute("DELETE FROM setting WHERE key = 'notify.webhook'")
