"""What is worth telling, each once: rows of `event` whose subject is the notice's key."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping

from cloudtui_engine.catalog.base import Repository, dumps
from cloudtui_engine.records.notice import Notice
from cloudtui_engine.sanitize import clean_line

_PREFIX = "notice:"
OLD_AFTER_S = 3600.0
_LEVELS = {
    "failed": "error", "lost": "error", "stalled": "warning", "nan": "warning", "budget": "warning",
    "deadline": "warning", "overdue": "error", "idle": "warning", "launch": "error", "leaving": "warning",
    "taken": "error", "orphan": "warning", "clock": "warning", "standstill": "warning",
}  # fmt: skip


class Notices(Repository):
    """The feed of notices, oldest first."""

    def add(
        self,
        kind: str,
        run_id: str,
        attempt: int,
        detail: str = "",
        *,
        at: float | None = None,
        onset: int | None = None,
    ) -> bool:
        """Something happened to this attempt; joins the transaction of the change that is told of.

        Args:
            kind: one of `KINDS`.
            run_id: the run.
            attempt: the attempt.
            detail: why.
            at: when it happened; None: now.
            onset: since when, for what can happen to one attempt more than once.

        Returns:
            False, with nothing written, where that is known already, or old news of what was begun elsewhere.
        """
        subject = _subject(kind, run_id, attempt, onset)
        with self._catalog.write() as db:
            if _has(db, subject) or _is_old_and_foreign(db, run_id, attempt, at):
                return False
            name, run_kind, newest = db.execute(
                "SELECT name, kind, attempt FROM run WHERE id = ?", (run_id,)
            ).fetchone()
            if attempt != newest:  # a late proof of an earlier try is no news
                return False
            about = {"run_id": run_id, "attempt": attempt, "run": clean_line(name, 200), "kind": run_kind}
            self._insert(subject, kind, detail, about | {"onset": onset})
        return True

    def tell(self, kind: str, key: str, about: str, detail: str) -> bool:
        """Something happened to no run but to the home: the money, for instance.

        Args:
            kind: one of `KINDS`.
            key: the same for the same news: it is told once.
            about: who or what it is about, as the beginning of a sentence.
            detail: a sentence more.

        Returns:
            False, with nothing written, where that was told already.
        """
        subject = f"{_PREFIX}{kind}:{key}"
        with self._catalog.read() as db:
            if _has(db, subject):
                return False
        data = {"run_id": "", "attempt": 0, "run": clean_line(about, 200), "kind": "", "key": key}
        with self._catalog.write() as db:
            if _has(db, subject):
                return False
            self._insert(subject, kind, detail, data)
        return True

    def _insert(self, subject: str, kind: str, detail: str, data: Mapping[str, object]) -> None:
        text = clean_line(detail, 500)
        row = (time.time(), subject, _LEVELS.get(kind, "info"), kind, text, dumps(data))
        with self._catalog.write("notice") as db:
            db.execute(
                "INSERT INTO event (t, subject, level, name, text, data) VALUES (?, ?, ?, ?, ?, ?)", row
            )

    def has(self, kind: str, run_id: str, attempt: int, onset: int | None = None) -> bool:
        """It was told of this attempt."""
        with self._catalog.read() as db:
            return _has(db, _subject(kind, run_id, attempt, onset))

    def since(self, after: int, limit: int = 500) -> tuple[int, list[Notice]]:
        """Those told after the place `after` of the feed, oldest first, and the place behind them."""
        with self._catalog.read() as db:
            newest = int(db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()[0])
            rows = db.execute(
                "SELECT id, t, name, text, data FROM event WHERE id > ? AND subject >= ? AND subject < ?"
                " ORDER BY id LIMIT ?",
                (after, _PREFIX, _PREFIX[:-1] + ";", limit),
            ).fetchall()
        place = rows[-1][0] if len(rows) == limit else max(newest, after)
        return place, [_notice(row) for row in rows]

    def place(self) -> int:
        """The end of the feed."""
        with self._catalog.read() as db:
            return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()[0])


def _subject(kind: str, run_id: str, attempt: int, onset: int | None) -> str:
    return f"{_PREFIX}{kind}:{run_id}:{attempt}" + ("" if onset is None else f":{onset}")


def _is_old_and_foreign(db: sqlite3.Connection, run_id: str, attempt: int, at: float | None) -> bool:
    """What `run import` reads back is history. What was begun here and ended in the night is news."""
    if at is None or at > time.time() - OLD_AFTER_S:
        return False
    begun = db.execute("SELECT 1 FROM operation WHERE key = ?", (f"run.start:{run_id}:{attempt}",))
    return begun.fetchone() is None


def _has(db: sqlite3.Connection, subject: str) -> bool:
    return db.execute("SELECT 1 FROM event WHERE subject = ? LIMIT 1", (subject,)).fetchone() is not None


def _notice(row: tuple[int, float, str, str, str]) -> Notice:
    identity, t, kind, text, data = row
    about = json.loads(data)
    return Notice(
        identity, t, kind, about["run_id"], about["attempt"], about["run"], about["kind"], text,
        about.get("onset"), about.get("key", ""),
    )  # fmt: skip
