"""What somebody looked for and wants to find again: filters of late, and the words there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudtui_engine.catalog.catalog import Catalog
    from cloudtui_engine.catalog.completion import Vocabulary

KEPT = 50
"""So many filters are remembered."""
_HISTORY = "finding.history"
_VALUES = 20
"""So many values of one parameter are offered."""
_PARAMS = (
    "WITH RECURSIVE k (key) AS (SELECT MIN(key) FROM param"
    " UNION ALL SELECT (SELECT MIN(key) FROM param WHERE key > k.key) FROM k WHERE k.key IS NOT NULL)"
    " SELECT key FROM k WHERE key IS NOT NULL LIMIT 500"
)
"""Each key once, by steps through the index: as fast with many runs as with few."""
_COLUMNS: Mapping[str, str] = {
    "tag": "SELECT DISTINCT tag FROM tag ORDER BY tag LIMIT 500",
    "on": "SELECT name FROM instance WHERE forgotten_at IS NULL ORDER BY name LIMIT 500",
    "gpu": "SELECT DISTINCT CAST(json_extract(x.gpus, g.fullkey || '.name') AS TEXT) AS name"
    " FROM instance AS x JOIN json_each(CASE WHEN json_valid(x.gpus) THEN x.gpus ELSE '[]' END) AS g"
    " ORDER BY name LIMIT 100",
    "dataset": "SELECT DISTINCT name FROM dataset ORDER BY name LIMIT 500",
    "model": "SELECT DISTINCT model FROM run WHERE model <> '' ORDER BY model LIMIT 200",
    "task": "SELECT DISTINCT task FROM run WHERE task <> '' ORDER BY task LIMIT 50",
    "kind": "SELECT DISTINCT kind FROM run ORDER BY kind LIMIT 50",
}


def vocabulary(catalog: Catalog) -> Vocabulary:
    """The words that this catalog knows: milliseconds to tens of them, so ask in a thread."""
    from cloudtui_engine.catalog.completion import Vocabulary  # needed with the first line that is typed

    with catalog.read() as db:
        params = {key: _values_of(db, key) for key in _texts(db, _PARAMS)}
        values = {name: _texts(db, sql) for name, sql in _COLUMNS.items()}
        metrics = _texts(
            db,
            "SELECT key FROM metric m WHERE EXISTS"
            " (SELECT 1 FROM series s WHERE s.metric = m.id AND s.scope = 'metric') ORDER BY key LIMIT 500",
        )
    return Vocabulary(params, metrics, values)


def _values_of(db: sqlite3.Connection, key: str) -> tuple[str, ...]:
    sql = "SELECT DISTINCT text FROM param WHERE key = ? AND length(text) < 60 LIMIT ?"
    return _texts(db, sql, key, _VALUES)


def _texts(db: sqlite3.Connection, sql: str, *values: object) -> tuple[str, ...]:
    """The texts of a column; what cannot be typed on a line is left out."""
    return tuple(row[0] for row in db.execute(sql, values) if row[0] and row[0].isprintable())


def history(catalog: Catalog) -> list[str]:
    """The filters of late, the newest first."""
    found = catalog.settings.get(_HISTORY, [])
    return [str(text) for text in found] if isinstance(found, list) else []


def remember(catalog: Catalog, text: str) -> None:
    """Put a filter on top of the history; one that is there already moves up."""
    text = text.strip()
    if not text:
        return
    with catalog.write():
        older = [one for one in history(catalog) if one != text]
        catalog.settings.set(_HISTORY, [text, *older][:KEPT])
