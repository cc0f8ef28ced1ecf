"""What every repository stands on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.paths import Paths

Row = tuple[Any, ...]


class Access(Protocol):
    """The part of `Catalog` that repositories use."""

    paths: Paths

    def write(self, *topics: str, durable: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction."""

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        """One consistent view."""


class Repository:
    """The rows of one noun."""

    def __init__(self, catalog: Access) -> None:
        self._catalog = catalog


def dumps(value: Any) -> str:
    """A value as it is kept in a column; any mapping and sequence will do."""
    return json.dumps(value, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | set | frozenset):
        return list(value)
    return str(value)


def loads_all(texts: Sequence[str]) -> list[Any]:
    """The values of many columns in one call: several times faster than one by one."""
    values: list[Any] = json.loads(f"[{','.join(texts)}]")
    return values


def marks(values: Collection[object]) -> str:
    """As many placeholders as there are values."""
    return ",".join("?" * len(values))


def prefix_end(text: str) -> str:
    """The first text after all that begin with `text`."""
    return text + "\U0010ffff"


def the_one(rows: Sequence[Row], noun: str, text: str) -> Row:
    """The only one of the `rows` that `text` names (first columns: id, name).

    Raises:
        NotFoundError: there is none.
        RefusedError: there are several.
    """
    if not rows:
        raise NotFoundError(f"There is no {noun} {text!r}.", f"See `cloudtui {noun} list`.")
    if len(rows) > 1:
        shown = ", ".join(f"{row[0]} ({row[1]})" for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
        raise RefusedError(f"{text!r} names more than one {noun}: {shown}.", "Give the id.", code="ambiguous")
    return rows[0]
