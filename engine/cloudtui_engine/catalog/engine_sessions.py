"""Engine processes that ran: one whose end was not written crashed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cloudtui_engine.catalog.base import Repository

_SELECT = "SELECT id, pid, version, started_at, ended_at, reason FROM engine_session"


@dataclass(frozen=True, slots=True)
class EngineSession:
    """One engine process."""

    id: int
    pid: int
    version: str
    started_at: float
    ended_at: float | None
    """None while it lives, and for ever when it crashed."""
    reason: str


class EngineSessions(Repository):
    """The rows of `engine_session`."""

    def begin(self, pid: int, version: str) -> int:
        """An engine starts; returns the id of its row."""
        with self._catalog.write("engine") as db:
            row = db.execute(
                "INSERT INTO engine_session (pid, version, started_at) VALUES (?, ?, ?) RETURNING id",
                (pid, version, time.time()),
            ).fetchone()
        return int(row[0])

    def end(self, session_id: int, reason: str) -> None:
        """It ended as it should."""
        with self._catalog.write("engine") as db:
            db.execute(
                "UPDATE engine_session SET ended_at = ?, reason = ? WHERE id = ?",
                (time.time(), reason, session_id),
            )

    def recent(self, limit: int = 20) -> list[EngineSession]:
        """The newest, newest first."""
        with self._catalog.read() as db:
            rows = db.execute(f"{_SELECT} ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [EngineSession(*row) for row in rows]

    def crashes(self, since: float, *, living: bool = True) -> int:
        """How many started after `since` and never ended.

        Args:
            since: a time.
            living: an engine runs now, so that the newest session is no crash.
        """
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM engine_session WHERE ended_at IS NULL AND started_at >= ?"
                " AND (NOT ? OR id < (SELECT MAX(id) FROM engine_session))",
                (since, living),
            ).fetchone()
        return int(row[0])
