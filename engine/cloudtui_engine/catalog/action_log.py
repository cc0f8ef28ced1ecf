"""What somebody did, each with its command and its end: rows of `event`, the newest so many of them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cloudtui_engine.catalog.base import Repository, dumps
from cloudtui_engine.records.logged import Logged
from cloudtui_engine.sanitize import clean_line

KEPT = 1000
"""So many are kept."""
SUBJECT = "action"
_LONGEST = 1000
_current: ContextVar[int | None] = ContextVar("cloudtui_action", default=None)


class ActionLog(Repository):
    """The log of actions. What is put in holds no secret: whoever calls sees to that."""

    def begin(self, action: str, command: str, by: str) -> int:
        """Somebody begins with it; returns the row for `end`. Older rows than the newest `KEPT` go."""
        data = dumps({"by": by, "state": "begun", "message": "", "ended_at": None, "operations": []})
        row = (time.time(), SUBJECT, action, clean_line(command, _LONGEST), data)
        with self._catalog.write(SUBJECT) as db:
            made = db.execute(
                "INSERT INTO event (t, subject, level, name, text, data) VALUES (?, ?, 'info', ?, ?, ?)", row
            ).lastrowid
            db.execute(
                "DELETE FROM event WHERE subject = ? AND id <="
                " (SELECT id FROM event WHERE subject = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (SUBJECT, SUBJECT, KEPT),
            )
        return int(made or 0)

    def end(self, row: int, state: str, message: str = "") -> None:
        """How it ended: `done`, `failed` or `interrupted`; nothing where the row is gone."""
        values = (state, clean_line(message, _LONGEST), time.time(), row, SUBJECT)
        with self._catalog.write(SUBJECT) as db:
            db.execute(
                "UPDATE event SET data = json_set(data, '$.state', ?, '$.message', ?, '$.ended_at', ?)"
                " WHERE id = ? AND subject = ?",
                values,
            )

    def list(self, limit: int = KEPT) -> list[Logged]:
        """The newest, newest first."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT id, t, name, text, data FROM event WHERE subject = ? ORDER BY id DESC LIMIT ?",
                (SUBJECT, limit),
            ).fetchall()
        return [_logged(*row) for row in rows]


@contextmanager
def within(row: int | None) -> Iterator[None]:
    """Operations that this thread commits in the body belong to this row."""
    token = _current.set(row)
    try:
        yield
    finally:
        _current.reset(token)


def note(db: sqlite3.Connection, operation_id: str) -> None:
    """An operation was committed, in this very transaction."""
    row = _current.get()
    if row is not None:
        db.execute(
            "UPDATE event SET data = json_insert(data, '$.operations[#]', ?) WHERE id = ? AND subject = ?",
            (operation_id, row, SUBJECT),
        )


def _logged(identity: int, t: float, action: str, command: str, data: str) -> Logged:
    about = json.loads(data)
    return Logged(
        identity, t, action, command, about["by"], about["state"], about["message"], about["ended_at"],
        tuple(about["operations"]),
    )  # fmt: skip
