"""What the user chose and what must be remembered, by key."""

from __future__ import annotations

import json
from typing import Any

from cloudtui_engine.catalog.base import Repository, dumps


class Settings(Repository):
    """The rows of `setting`; values are JSON."""

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` where none was set."""
        with self._catalog.read() as db:
            row = db.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        with self._catalog.write("setting") as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, dumps(value)))

    def all(self) -> dict[str, Any]:
        """All that were set."""
        with self._catalog.read() as db:
            rows = db.execute("SELECT key, value FROM setting").fetchall()
        return {key: json.loads(value) for key, value in rows}

    def unset(self, key: str) -> None:
        """Forget a value."""
        with self._catalog.write("setting") as db:
            db.execute("DELETE FROM setting WHERE key = ?", (key,))
