"""Model versions: what runs learned."""

# ruff: noqa: S608 - what is put into statements are names of this package; every value is a parameter
from __future__ import annotations

import json
import math
import sqlite3
import time

from cloudtui_engine.catalog.base import Repository, Row, prefix_end, the_one
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.catalog.run_rows import artifact_of
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.model import Model

_SELECT = (
    "SELECT m.id, m.name, m.version, r.id, m.task, m.architecture, d.name, m.created_at, m.run, m.attempt"
    " FROM model m JOIN run r ON r.seq = m.run LEFT JOIN dataset d ON d.id = m.dataset_id"
)


class Models(Repository):
    """The rows of `model` and `model_alias`."""

    def register(self, run_id: str, attempt: int) -> Model:
        """The model of a run: the next version of the run's name. A second call finds the first one's."""
        with self._catalog.write("model") as db:
            seq = run_seq(db, run_id)
            done = db.execute(
                "UPDATE model SET attempt = MAX(attempt, ?) WHERE run = ? RETURNING id", (attempt, seq)
            ).fetchone()
            if done is None:
                done = db.execute(
                    "INSERT INTO model (id, name, version, run, attempt, task, architecture,"
                    " dataset_id, created_at)"
                    " SELECT ?, name, (SELECT COALESCE(MAX(version), 0) + 1 FROM model WHERE name ="
                    " run.name), seq, ?,"
                    " COALESCE(task, ''), COALESCE(model, ''), dataset_id, ? FROM run WHERE seq = ?"
                    " RETURNING id",
                    (new_id(), attempt, time.time(), seq),
                ).fetchone()
            return self.get(done[0])

    def get(self, model_id: str) -> Model:
        """The model with this id."""
        with self._catalog.read() as db:
            row = db.execute(f"{_SELECT} WHERE m.id = ?", (model_id,)).fetchone()
            if row is None:
                raise NotFoundError(f"There is no model {model_id!r}.", "See `cloudtui model list`.")
            return self._model(db, row)

    def list(self) -> list[Model]:
        """All models, newest first, but those of deleted runs."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_SELECT} WHERE r.deleted_at IS NULL ORDER BY m.created_at DESC, m.rowid DESC"
            ).fetchall()
            return [self._model(db, row) for row in rows]

    def find(self, text: str) -> Model:
        """`name` (its newest version), `name@3`, an alias, or (the beginning of) an id, of it or its run."""
        name, at, version = text.rpartition("@")
        with self._catalog.read() as db:
            if at and version.isascii() and version.isdigit() and len(version) < 10:
                rows = db.execute(
                    f"{_SELECT} WHERE m.name = ? AND m.version = ?", (name, int(version))
                ).fetchall()
            else:
                rows = db.execute(
                    f"{_SELECT} WHERE m.id = (SELECT model_id FROM model_alias WHERE alias = ?)", (text,)
                ).fetchall()
            if not rows:
                rows = db.execute(
                    f"{_SELECT} WHERE m.name = ? ORDER BY m.version DESC LIMIT 1", (text,)
                ).fetchall()
            if not rows and text:
                end = prefix_end(text)
                rows = db.execute(
                    f"{_SELECT} WHERE (m.id >= ? AND m.id < ?) OR (r.id >= ? AND r.id < ?)",
                    (text, end, text, end),
                ).fetchall()
            return self._model(db, the_one(rows, "model", text))

    def set_alias(self, model_id: str, alias: str) -> None:
        """Name this model by an alias; another model that had it loses it."""
        with self._catalog.write("model") as db:
            db.execute("INSERT OR REPLACE INTO model_alias VALUES (?, ?)", (alias, model_id))

    def _model(self, db: sqlite3.Connection, row: Row) -> Model:
        key, name, version, run_id, task, architecture, dataset, created_at, run, attempt = row
        metrics = db.execute(
            "SELECT k.key, u.last FROM summary u JOIN metric k ON k.id = u.metric WHERE u.run = ? ORDER"
            " BY k.key",
            (run,),
        ).fetchall()
        reports = db.execute(
            "SELECT name, data FROM report WHERE run = ? AND attempt <= ? ORDER BY attempt, name",
            (run, attempt),
        ).fetchall()
        files = db.execute(
            "SELECT name, kind, size_bytes, sha256, pulled FROM artifact WHERE run = ? AND attempt = ?"
            " ORDER BY name",
            (run, attempt),
        ).fetchall()
        aliases = db.execute(
            "SELECT alias FROM model_alias WHERE model_id = ? ORDER BY alias", (key,)
        ).fetchall()
        return Model(
            key, name, version, run_id, task, architecture, dataset,
            {key: last for key, last in metrics if last is not None and math.isfinite(last)},
            {name: json.loads(data) for name, data in reports},
            tuple(artifact_of(file, self._catalog.paths) for file in files),
            tuple(alias for (alias,) in aliases), created_at,
        )  # fmt: skip
