"""Cursors of followed files."""

from __future__ import annotations

from cloudtui_engine.catalog.base import Repository, Row
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.records.source import Source

_SELECT = (
    "SELECT s.id, s.instance_id, r.id, s.attempt, s.name, s.offset, s.tail, s.damaged, s.alarm"
    " FROM source s JOIN run r ON r.seq = s.run"
)
_BY_KEY = f"{_SELECT} WHERE s.instance_id = ? AND r.id = ? AND s.attempt = ? AND s.name = ?"


class Sources(Repository):
    """The rows of `source`."""

    def open(self, instance_id: str, run_id: str, attempt: int, name: str) -> Source:
        """The cursor of a file, at 0 when it was never followed."""
        key = (instance_id, run_id, attempt, name)
        with self._catalog.read() as db:
            row = db.execute(_BY_KEY, key).fetchone()
        if row is None:
            with self._catalog.write() as db:
                db.execute(
                    "INSERT OR IGNORE INTO source (instance_id, run, attempt, name) VALUES (?, ?, ?, ?)",
                    (instance_id, run_seq(db, run_id), attempt, name),
                )
                row = db.execute(_BY_KEY, key).fetchone()
        return _source(row)

    def get(self, source_id: int) -> Source:
        """The cursor as it is now."""
        with self._catalog.read() as db:
            return _source(db.execute(f"{_SELECT} WHERE s.id = ?", (source_id,)).fetchone())

    def alarm(self, source_id: int, text: str) -> None:
        """The file was shortened or rewritten and is not followed any more; empty text takes that back."""
        with self._catalog.write("run") as db:
            db.execute("UPDATE source SET alarm = ? WHERE id = ?", (text, source_id))

    def advance(self, source: Source, offset: int, tail: bytes) -> bool:
        """Move the cursor from where `source` has it; joins the caller's transaction.

        False, and nothing done, when it is not there any more or an alarm has stopped the source.
        """
        with self._catalog.write() as db:
            done = db.execute(
                "UPDATE source SET offset = ?, tail = ? WHERE id = ? AND offset = ? AND alarm = ''",
                (offset, tail, source.id, source.offset),
            ).rowcount
        return done == 1

    def count_damaged(self, source_id: int, lines: int) -> None:
        """So many more lines or values were no records."""
        with self._catalog.write() as db:
            db.execute("UPDATE source SET damaged = damaged + ? WHERE id = ?", (lines, source_id))


def _source(row: Row) -> Source:
    return Source(*row)
