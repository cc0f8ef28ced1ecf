"""What was found out about models: evaluations and compressions, from the reports of runs."""

from __future__ import annotations

import json

from cloudtui_engine.catalog.base import Repository
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.records.run import RunState

PREFIX = "evaluation/"
COMPRESSION = "compression"
_COLUMNS = "m.name || '@' || m.version AS label, m.id, d.name, p.name, r.id, p.t, p.data, r.dataset_id"
_NEWEST = (
    "AND p.name GLOB 'evaluation/*' AND r.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM report q"
    " WHERE q.run = p.run AND q.name = p.name AND q.attempt > p.attempt"
)
_TRAINED = (
    f"SELECT {_COLUMNS} FROM model m JOIN run r ON r.seq = m.run"
    " JOIN report p ON p.run = r.seq AND p.attempt <= m.attempt LEFT JOIN dataset d ON d.id = r.dataset_id"
    f" WHERE m.variant = '' {_NEWEST} AND q.attempt <= m.attempt)"
)
_EVALUATED = (
    f"SELECT {_COLUMNS} FROM run r JOIN model m ON m.id = r.model_id JOIN report p ON p.run = r.seq"
    f" LEFT JOIN dataset d ON d.id = r.dataset_id WHERE r.kind = 'evaluate' {_NEWEST})"
)
_COMPRESSIONS = (
    "SELECT m.name || '@' || m.version, m.id, r.id, r.status, COALESCE(p.t, r.created_at), p.data,"
    " COALESCE(d.name, '') FROM run r LEFT JOIN dataset d ON d.id = r.dataset_id"
    " JOIN model m ON m.id = r.model_id LEFT JOIN report p ON p.run = r.seq AND p.name = 'compression'"
    " AND p.attempt = (SELECT MAX(q.attempt) FROM report q WHERE q.run = r.seq AND q.name = 'compression')"
    " WHERE r.kind = 'compress' AND r.deleted_at IS NULL"
)


class ModelJobs(Repository):
    """Read from `report` and `run`; nothing is kept twice."""

    def evaluations(self, model_id: str | None = None, limit: int = 200) -> list[Evaluation]:
        """Those of one model or of all, newest first, whether a training or an evaluation made them."""
        only, values = ("", []) if model_id is None else (" AND m.id = ?", [model_id, model_id])
        sql = f"{_TRAINED}{only} UNION ALL {_EVALUATED}{only} ORDER BY 6 DESC, 5 DESC, 4 LIMIT ?"
        with self._catalog.read() as db:
            rows = db.execute(sql, (*values, limit)).fetchall()
        return [
            Evaluation(label, key, dataset or "", name.removeprefix(PREFIX), run, t, json.loads(data), held)
            for label, key, dataset, name, run, t, data, held in rows
        ]

    def compressions(self, model_id: str | None = None, limit: int = 100) -> list[Compression]:
        """Those of one model or of all, newest first; one that has measured nothing has an empty report."""
        only, values = ("", []) if model_id is None else (" AND m.id = ?", [model_id])
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_COMPRESSIONS}{only} ORDER BY r.seq DESC LIMIT ?", (*values, limit)
            ).fetchall()
        return [
            Compression(label, key, run, RunState(status), t, json.loads(data) if data else {}, dataset)
            for label, key, run, status, t, data, dataset in rows
        ]
