"""Runs are named by id outside and by a small number inside: it stands in every row of their history."""

from __future__ import annotations

import sqlite3

from cloudtui_engine.errors import NotFoundError


def run_seq(db: sqlite3.Connection, run_id: str) -> int:
    """The number of a run.

    Raises:
        NotFoundError: there is no such run.
    """
    row = db.execute("SELECT seq FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no run {run_id!r}.", "See `cloudtui run list`.")
    return int(row[0])
