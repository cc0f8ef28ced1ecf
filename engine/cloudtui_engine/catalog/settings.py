"""What the user chose and what must be remembered, by key."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.catalog.base import Repository, dumps
from cloudtui_engine.durable import replace_file
from cloudtui_engine.records.notice import WEBHOOK

APART: Mapping[str, str] = {WEBHOOK: "webhook"}
"""Settings that are secrets, and the file of the home that each is in: in no catalog, so in no backup."""


class Settings(Repository):
    """The rows of `setting`; values are JSON."""

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` where none was set."""
        if key in APART:
            return self._apart().get(key, default)
        with self._catalog.read() as db:
            row = db.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        with self._catalog.write("setting") as db:
            if key in APART:
                replace_file(self._catalog.paths.home / APART[key], dumps(value))
            else:
                db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, dumps(value)))

    def all(self) -> dict[str, Any]:
        """All that were set."""
        with self._catalog.read() as db:
            rows = db.execute("SELECT key, value FROM setting").fetchall()
        return {key: json.loads(value) for key, value in rows} | self._apart()

    def unset(self, key: str) -> None:
        """Forget a value."""
        with self._catalog.write("setting") as db:
            if key in APART:
                (self._catalog.paths.home / APART[key]).unlink(missing_ok=True)
            db.execute("DELETE FROM setting WHERE key = ?", (key,))

    def _apart(self) -> dict[str, Any]:
        """What cannot be read, or is none of ours, was not set."""
        found = {}
        for key, name in APART.items():
            with contextlib.suppress(OSError, ValueError):
                found[key] = json.loads((self._catalog.paths.home / name).read_text())
        return found
