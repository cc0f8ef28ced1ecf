"""Is the catalog whole, and a copy of it as it is at one moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cloudtui_engine.catalog.opening import connect, translate
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.paths import Paths

_MOST = 20


def check(paths: Paths) -> list[str]:
    """What is wrong with the file, a line each; empty when it is whole. Nothing is changed or upgraded."""
    try:
        place = f"{paths.catalog.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=10.0)) as db:
            said = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({_MOST})").fetchall()]
            dangling = db.execute("PRAGMA foreign_key_check").fetchmany(_MOST)
    except sqlite3.Error as error:
        return [str(error)]
    found = [line for line in said if line != "ok"]
    return found + [f"A row of {row[0]} points to a missing {row[2]}." for row in dangling]


def snapshot(paths: Paths, target: Path) -> None:
    """Write the catalog as it is now into the new file `target`, while others go on writing.

    Raises:
        CatalogError: there is none, it is damaged, or `target` cannot be written.
    """
    if not paths.catalog.exists():
        raise CatalogError(f"There is no catalog in {paths.home}.", "Check --home and CLOUDTUI_HOME.")
    try:
        with closing(connect(paths.catalog)) as db, closing(sqlite3.connect(target)) as copy:
            db.backup(copy, pages=4096)
    except sqlite3.Error as error:
        raise translate(error, paths.catalog) from error
