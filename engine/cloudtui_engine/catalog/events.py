"""What happened, a line each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.catalog.base import Repository, dumps
from cloudtui_engine.records.event import Event
from cloudtui_engine.sanitize import clean, clean_line

MAX_TEXT = 4000


class Events(Repository):
    """The rows of `event`."""

    def add(  # noqa: PLR0917 - an event is told in one line
        self,
        subject: str,
        level: str,
        name: str,
        text: str,
        data: Mapping[str, Any] | None = None,
        t: float | None = None,
    ) -> None:
        """Tell one event of an object (its id); text from a host is made safe here."""
        row = (
            time.time() if t is None else t, subject, level, clean_line(name, 200), clean(text[:MAX_TEXT]),
            dumps(data or {}),
        )  # fmt: skip
        with self._catalog.write("event") as db:
            db.execute(
                "INSERT INTO event (t, subject, level, name, text, data) VALUES (?, ?, ?, ?, ?, ?)", row
            )

    def list(self, subject: str, limit: int = 200) -> list[Event]:
        """The newest events of an object, in the order they were told."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT t, subject, level, name, text, data FROM event WHERE subject = ? ORDER BY id"
                " DESC LIMIT ?",
                (subject, limit),
            ).fetchall()
        return [
            Event(t, subject, level, name, text, json.loads(data))
            for t, subject, level, name, text, data in reversed(rows)
        ]

    def count(self, subject: str, limit: int) -> int:
        """How many there are of an object, counted up to `limit`."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE subject = ? LIMIT ?)", (subject, limit)
            ).fetchone()
        return int(row[0])
