"""The catalog file: connections for transactions, one writer at a time, topics that tell what changed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from cloudtui_engine.catalog.file_systems import read_mounts
from cloudtui_engine.catalog.opening import connect, prepare, translate
from cloudtui_engine.errors import CatalogError, RefusedError
from cloudtui_engine.paths import Paths

IDLE_MOST = 8
"""So many connections are kept that no transaction has. One costs 0.3 MB, and an engine has hundreds of
threads that each read a row now and then."""


class _Handle:
    """A connection, and how deep in transactions the thread is that has it now."""

    __slots__ = ("connection", "reads", "topics", "writes")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.reads = 0
        self.writes = 0
        self.topics: set[str] = set()

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """One home's file. All methods may be used from any thread."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._local = threading.local()
        self._idle: list[_Handle] = []
        self._guard = threading.Lock()
        self._writing = threading.RLock()
        self._closed = False
        self.sealed: RefusedError | None = None
        """Why nothing is written through this object; None: it is."""
        self.open_topics: frozenset[str] = frozenset()
        """What is written all the same."""
        self._watch = connect(paths.catalog)

    @classmethod
    def open(cls, paths: Paths, *, create: bool = True, mounts: Callable[[], str] = read_mounts) -> Self:
        """The catalog of a home, created or brought up to date where needed.

        Args:
            paths: the home.
            create: make one where there is none.
            mounts: reads the mount table.

        Raises:
            CatalogError: it cannot be used; it is untouched then, and the hint says what to do.
        """
        prepare(paths, create, mounts)
        try:
            return cls(paths)
        except sqlite3.Error as error:
            raise translate(error, paths.catalog) from error

    @contextmanager
    def write(self, *topics: str, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the body is committed with new versions of `topics`, or nothing of it is.

        Inside another `write` of this thread it joins that one; if it raises, only its own part is undone.

        Args:
            topics: what readers should look at again.
            durable: on the disk, not only handed to the system, before this returns (the outermost one
            counts).

        Raises:
            CatalogError: the catalog is busy for too long, its disk is full, or it is damaged.
            RefusedError: it is sealed.
        """
        if self.sealed is not None and not (topics and self.open_topics.issuperset(topics)):
            raise self.sealed
        # The turn before the connection: of hundreds of threads that wait to write none has one.
        with self._writing:
            handle = self._handle()
            if handle.reads and not handle.writes:
                raise RuntimeError(
                    "A read of this thread is open: a write inside it could not see what others wrote."
                )
            body = self._inner(handle) if handle.writes else self._outer(handle, durable)
            handle.topics.update(topics)
            with body as db:
                yield db

    @contextmanager
    def _outer(self, handle: _Handle, durable: bool) -> Iterator[sqlite3.Connection]:
        db = handle.connection
        try:
            if durable:
                db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            handle.writes = 1
            yield db
            _bump(db, handle.topics)
            db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise translate(error, self.paths.catalog) from error
        finally:
            handle.writes = 0
            handle.topics.clear()
            self._settle(handle, durable)

    def _settle(self, handle: _Handle, durable: bool) -> None:
        """Leave the connection as the next write wants it; one that cannot be left so is given up."""
        db = handle.connection
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if durable:
                db.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            self._local.handle = None
            with suppress(sqlite3.Error):
                db.close()
            raise translate(error, self.paths.catalog) from error
        self._give_back(handle)

    @contextmanager
    def _inner(self, handle: _Handle) -> Iterator[sqlite3.Connection]:
        db, name = handle.connection, f"inner{handle.writes}"
        db.execute(f"SAVEPOINT {name}")
        handle.writes += 1
        try:
            yield db
        except BaseException:  # an interrupt, too: whatever ends the body, what it wrote is not half there
            if db.in_transaction:  # a full disk rolls all back by itself
                db.execute(f"ROLLBACK TO {name}")
                db.execute(f"RELEASE {name}")
            raise
        else:
            db.execute(f"RELEASE {name}")
        finally:
            handle.writes -= 1

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view for the length of the body; inside this thread's `write`, that transaction's.

        Raises:
            CatalogError: the catalog cannot be read.
        """
        handle = self._handle()
        db = handle.connection
        if handle.reads or handle.writes:
            yield db
            return
        try:
            db.execute("BEGIN")
            handle.reads = 1
            yield db
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.ProgrammingError):
                raise
            raise translate(error, self.paths.catalog) from error
        finally:
            handle.reads = 0
            if db.in_transaction:
                with suppress(sqlite3.DatabaseError):  # of a damaged file not even that can be relied on
                    db.execute("COMMIT")
            self._give_back(handle)

    def data_version(self) -> int:
        """A number that is another one after any commit, of this process or another. Costs microseconds."""
        try:
            with self._guard:
                # A connection that never writes sees every commit as somebody else's.
                return int(self._watch.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.DatabaseError as error:
            raise translate(error, self.paths.catalog) from error

    def topics(self) -> dict[str, int]:
        """The version of every topic that was ever bumped."""
        with self.read() as db:
            return dict(db.execute("SELECT name, version FROM topic").fetchall())

    def changed(self, since: int) -> tuple[int, frozenset[str]]:
        """The newest version, and the topics that were bumped after version `since`."""
        with self.read() as db:
            rows = db.execute("SELECT version, name FROM topic WHERE version > ?", (since,)).fetchall()
        return max((row[0] for row in rows), default=since), frozenset(row[1] for row in rows)

    def close(self) -> None:
        """No transaction begins any more; one that is open has its connection until its thread is done.

        To close it from here would take it from under a statement that runs, which ends the process. Closing
        twice is fine.
        """
        with self._guard:
            self._closed = True
            self._idle.clear()
            self._watch.close()

    def _handle(self) -> _Handle:
        handle: _Handle | None = getattr(self._local, "handle", None)
        if handle is None:
            with self._guard:
                if self._closed:
                    raise CatalogError("The catalog was closed.")
                handle = self._idle.pop() if self._idle else self._connected()
            self._local.handle = handle
        return handle

    def _connected(self) -> _Handle:
        try:
            return _Handle(connect(self.paths.catalog))
        except sqlite3.Error as error:
            raise translate(error, self.paths.catalog) from error

    def _give_back(self, handle: _Handle) -> None:
        """This thread's transaction is over. One that is still in some goes with the thread."""
        self._local.handle = None
        if handle.connection.in_transaction:
            return
        with self._guard:
            if not self._closed and len(self._idle) < IDLE_MOST:
                self._idle.append(handle)


def _bump(db: sqlite3.Connection, topics: set[str]) -> None:
    if not topics:
        return
    version = db.execute("SELECT COALESCE(MAX(version), 0) + 1 FROM topic").fetchone()[0]
    db.executemany(
        "INSERT INTO topic VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        [(topic, version) for topic in topics],
    )
