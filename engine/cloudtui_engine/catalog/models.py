"""Model versions: what runs learned, and the smaller variants of it."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cloudtui_engine.catalog.base import Row, prefix_end, the_one
from cloudtui_engine.catalog.model_jobs import COMPRESSION, ModelJobs
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.catalog.run_rows import ARTIFACT, artifact_of
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Artifact

Found = list[Model]
_SELECT = (
    "SELECT m.id, m.name, m.version, r.id, m.task, m.architecture, d.name, m.created_at, m.variant,"
    " m.parent_id, p.name || '@' || p.version, m.run, m.attempt, r.cost_usd"
    " FROM model m JOIN run r ON r.seq = m.run LEFT JOIN dataset d ON d.id = m.dataset_id"
    " LEFT JOIN model p ON p.id = m.parent_id"
)
_INSERT = (
    "INSERT INTO model (id, name, version, run, attempt, task, architecture, dataset_id, created_at, variant,"
    " parent_id) SELECT :id, :name, (SELECT COALESCE(MAX(version), 0) + 1 FROM model WHERE name = :name),"
    " seq, :attempt, COALESCE(:task, task, ''), COALESCE(:architecture, model, ''), dataset_id, :now,"
    " :variant, :parent FROM run WHERE seq = :run RETURNING id"
)


class Models(ModelJobs):
    """The rows of `model` and `model_alias`."""

    def register(
        self, run_id: str, attempt: int, *, variant: str = "", parent_id: str | None = None
    ) -> Model:
        """What a run left as a model version; a second call finds the first one's.

        Args:
            run_id: the run.
            attempt: whose files they are.
            variant: the folder of its files, for a variant that a compression left; the version is one of
                `<parent's name>-<variant>` then, else of the run's own name.
            parent_id: the model that it was made from.
        """
        with self._catalog.write("model") as db:
            seq = run_seq(db, run_id)
            done = db.execute(
                "UPDATE model SET attempt = MAX(attempt, ?) WHERE run = ? AND variant = ? RETURNING id",
                (attempt, seq, variant),
            ).fetchone()
            if done is None:
                parent = self.get(parent_id) if parent_id else None
                name = db.execute("SELECT name FROM run WHERE seq = ?", (seq,)).fetchone()[0]
                done = db.execute(
                    _INSERT,
                    {
                        "id": new_id(), "run": seq, "attempt": attempt, "now": time.time(),
                        "variant": variant, "parent": parent_id,
                        "name": f"{parent.name if parent else name}-{variant}" if variant else name,
                        "task": parent.task if parent and variant else None,
                        "architecture": parent.architecture if parent and variant else None,
                    },
                ).fetchone()  # fmt: skip
            return self.get(done[0])

    def get(self, model_id: str) -> Model:
        """The model with this id."""
        with self._catalog.read() as db:
            row = db.execute(f"{_SELECT} WHERE m.id = ?", (model_id,)).fetchone()
            if row is None:
                raise NotFoundError(f"There is no model {model_id!r}.", "See `cloudtui model list`.")
            return self._model(db, row)

    def list(self) -> Found:
        """All models, newest first, but those of deleted runs."""
        return self._some("", ())

    def count(self) -> int:
        """How many `list` has."""
        with self._catalog.read() as db:
            return int(
                db.execute(
                    "SELECT COUNT(*) FROM model m JOIN run r ON r.seq = m.run WHERE r.deleted_at IS NULL"
                ).fetchone()[0]
            )

    def children(self, model_id: str) -> Found:
        """What was made from it: variants and trainings that began with its weights; newest first."""
        return self._some(" AND m.parent_id = ?", (model_id,))

    def of_run(self, run_id: str) -> Found:
        """What a run left, newest first."""
        return self._some(" AND r.id = ?", (run_id,))

    def _some(self, condition: str, values: Iterable[str]) -> Found:
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_SELECT} WHERE r.deleted_at IS NULL{condition} ORDER BY m.created_at DESC, m.rowid DESC",
                tuple(values),
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
        """Name this model by an alias; another model that had it loses it.

        Raises:
            RefusedError: models are called so, and would not be found by their name any more.
        """
        with self._catalog.write("model") as db:
            if db.execute("SELECT 1 FROM model WHERE name = ? LIMIT 1", (alias,)).fetchone():
                raise RefusedError(
                    f"There is a model called {alias}: an alias of that name would hide it.",
                    "Choose another alias.",
                    code="name_taken",
                )
            db.execute("INSERT OR REPLACE INTO model_alias VALUES (?, ?)", (alias, model_id))

    def _model(self, db: sqlite3.Connection, row: Row) -> Model:
        key, name, version, run_id, task, architecture, dataset, created_at, variant, *rest = row
        parent_id, parent, run, attempt, cost_usd = rest
        metrics = db.execute(
            "SELECT k.key, u.last FROM summary u JOIN metric k ON k.id = u.metric WHERE u.run = ? ORDER"
            " BY k.key",
            (run,),
        ).fetchall()
        rows = db.execute(
            "SELECT name, data FROM report WHERE run = ? AND attempt <= ? ORDER BY attempt, name",
            (run, attempt),
        ).fetchall()
        reports = Unread(rows)
        aliases = db.execute(
            "SELECT alias FROM model_alias WHERE model_id = ? ORDER BY alias", (key,)
        ).fetchall()
        files = db.execute(
            f"SELECT {ARTIFACT} FROM artifact WHERE run = ? AND attempt = ? ORDER BY name", (run, attempt)
        ).fetchall()
        return Model(
            key, name, version, run_id, task, architecture, dataset,
            _of_variant(reports, variant) if variant
            else {key: last for key, last in metrics if last is not None and math.isfinite(last)},
            {} if variant else reports,
            tuple(_below(variant, (artifact_of(file, self._catalog.paths) for file in files))),
            tuple(alias for (alias,) in aliases), created_at, attempt, variant, parent_id, parent, cost_usd,
        )  # fmt: skip


def _below(variant: str, files: Iterable[Artifact]) -> Iterable[Artifact]:
    """The files in a variant's folder, by the names that they have there; of a model itself all."""
    if not variant:
        return files
    prefix = f"{variant}/"
    return (
        replace(file, name=file.name.removeprefix(prefix)) for file in files if file.name.startswith(prefix)
    )


class Unread(Mapping[str, Any]):
    """Reports by name, each decoded when it is asked for: of a list of models hardly any is opened."""

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._texts = dict(rows)

    def __getitem__(self, name: str) -> Any:
        return json.loads(self._texts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _of_variant(reports: Mapping[str, Any], variant: str) -> dict[str, float]:
    """What was measured of a variant, under the keys of a training's metrics."""
    listed = (reports.get(COMPRESSION) or {}).get("variants")
    found = [one for one in listed or () if isinstance(one, dict) and one.get("id") == variant]
    measured: dict[str, float] = {}
    for one in found if isinstance(listed, list) else ():
        validation = one.get("validation")
        pairs = {
            f"{one.get('split')}/accuracy": one.get("accuracy"),
            "validation/accuracy": validation.get("accuracy") if isinstance(validation, dict) else None,
        }
        for key, value in pairs.items():
            if isinstance(value, int | float) and math.isfinite(value):
                measured[key] = float(value)
    return measured
