"""The schema, step by step. A released step is never changed: the next one changes the database.

Each step runs inside the caller's `BEGIN IMMEDIATE` together with its record in `_sqlite_migrations`.
`user_version` is the number of steps: a newer program's catalog is seen before anything is touched.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database, Migrations

from cloudtui_engine.catalog.schema_first import FIRST
from cloudtui_engine.catalog.schema_fleet import THIRD
from cloudtui_engine.catalog.schema_idle import FIFTH
from cloudtui_engine.catalog.schema_models import SECOND
from cloudtui_engine.catalog.schema_money import FOURTH
from cloudtui_engine.catalog.schema_objects import SEVENTH
from cloudtui_engine.durable import replace_file

migrations = Migrations("cloudtui")


@migrations()
def m001_first(db: Database) -> None:
    """Everything that the first release keeps."""
    _execute(db, FIRST)


@migrations()
def m002_models(db: Database) -> None:
    """Variants of models, jobs that act on one, and files that stay on their host."""
    _execute(db, SECOND)


@migrations()
def m003_fleet(db: Database) -> None:
    """Rented machines: their launches, what clouds list, and machines without a row."""
    _execute(db, THIRD)


@migrations()
def m004_money(db: Database) -> None:
    """What accrued, what providers said of prices, and runs whose share is to be computed."""
    _execute(db, FOURTH)


@migrations()
def m005_idle(db: Database) -> None:
    """What GPUs did of late, and since when a machine is idle."""
    _execute(db, FIFTH)


@migrations()
def m006_apart(db: Database) -> None:
    """The webhook's address, as good as a password, goes to the file beside the catalog that it is in now."""
    row = db.conn.execute("SELECT value FROM setting WHERE key = 'notify.webhook'").fetchone()
    if row is None:
        return
    _, _, catalog = db.conn.execute("PRAGMA database_list").fetchone()
    file = Path(catalog).with_name("webhook")
    if not file.exists():  # else it was set again since, and that counts
        replace_file(file, row[0])
    db.conn.execute("DELETE FROM setting WHERE key = 'notify.webhook'")


@migrations()
def m007_objects(db: Database) -> None:
    """Which state of objects in a store a dataset was made of."""
    _execute(db, SEVENTH)


def _execute(db: Database, script: str) -> None:
    # Not `executescript`, which would commit what the caller has begun.
    for statement in script.split(";\n"):
        if statement.strip():
            db.conn.execute(statement)
