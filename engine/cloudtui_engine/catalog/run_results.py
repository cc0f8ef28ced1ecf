"""What runs left: files and reports."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cloudtui_engine.catalog.base import Repository, dumps, marks
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.catalog.run_rows import ARTIFACT, artifact_of
from cloudtui_engine.records.run import FINISHED, Artifact


class Results(Repository):
    """The rows of `artifact` and `report`."""

    def add_artifacts(
        self,
        run_id: str,
        number: int,
        artifacts: Iterable[tuple[str, str, int, str]],
        left: Collection[str] = (),
    ) -> None:
        """Files of an attempt: name, kind, size and sha256. A file that changed must be pulled again.

        Those named in `left` stay on the host until somebody asks for them.
        """
        with self._catalog.write("run") as db:
            seq = run_seq(db, run_id)
            db.executemany(
                "INSERT INTO artifact (run, attempt, name, kind, size_bytes, sha256, wanted)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (run, attempt, name) DO UPDATE SET kind = excluded.kind,"
                " size_bytes = excluded.size_bytes, pulled = pulled AND sha256 = excluded.sha256,"
                " sha256 = excluded.sha256, wanted = excluded.wanted",
                [(seq, number, *artifact, artifact[0] not in left) for artifact in artifacts],
            )

    def artifacts(self, run_id: str, number: int) -> list[Artifact]:
        """The files of one attempt, by name."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {ARTIFACT} FROM artifact WHERE run = ? AND attempt = ? ORDER BY name",
                (run_seq(db, run_id), number),
            ).fetchall()
        return [artifact_of(row, self._catalog.paths) for row in rows]

    def count_artifacts(self, run_id: str, number: int) -> int:
        """How many files an attempt left."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM artifact WHERE run = ? AND attempt = ?", (run_seq(db, run_id), number)
            ).fetchone()
        return int(row[0])

    def spec(self, run_id: str) -> dict[str, Any]:
        """A run's spec alone."""
        with self._catalog.read() as db:
            row = db.execute("SELECT spec FROM run WHERE seq = ?", (run_seq(db, run_id),)).fetchone()
        found: dict[str, Any] = json.loads(row[0])
        return found

    def unpulled(self) -> list[tuple[str, int]]:
        """Finished attempts (run id, number) of whose wanted files some are not here; not of deleted runs."""
        states = ",".join(f"'{state}'" for state in sorted(FINISHED))
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT DISTINCT r.id, a.number, r.seq FROM artifact AS f JOIN run AS r ON r.seq = f.run"
                " JOIN attempt AS a ON a.run = f.run AND a.number = f.attempt"
                f" WHERE f.pulled = 0 AND f.wanted = 1 AND a.state IN ({states}) AND r.deleted_at IS NULL"
                " ORDER BY r.seq, a.number"
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def want(self, run_id: str, number: int, names: Collection[str]) -> int:
        """Have these files brought here after all; returns how many were to stay on the host until now."""
        with self._catalog.write("run") as db:
            return db.execute(
                "UPDATE artifact SET wanted = 1 WHERE run = ? AND attempt = ? AND wanted = 0 AND pulled = 0"
                f" AND name IN ({marks(names)})",
                (run_seq(db, run_id), number, *names),
            ).rowcount

    def mark_gone(self, run_id: str, number: int, names: Collection[str]) -> None:
        """These files were here, and are not any more: they may be fetched again."""
        with self._catalog.write("run") as db:
            db.execute(
                f"UPDATE artifact SET pulled = 0 WHERE run = ? AND attempt = ? AND name IN ({marks(names)})",
                (run_seq(db, run_id), number, *names),
            )

    def mark_pulled(self, run_id: str, number: int, name: str) -> None:
        """The file lies on this machine, verified, at `paths.file(sha256)`."""
        with self._catalog.write("run") as db:
            db.execute(
                "UPDATE artifact SET pulled = 1 WHERE run = ? AND attempt = ? AND name = ?",
                (run_seq(db, run_id), number, name),
            )

    def add_report(
        self, run_id: str, number: int, name: str, t: float | None, data: Mapping[str, Any]
    ) -> None:
        """Keep a report of an attempt; a second one of the name replaces it."""
        with self._catalog.write("run") as db:
            row = (run_seq(db, run_id), number, name, time.time() if t is None else t, dumps(data))
            db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?, ?, ?)", row)

    def count_reports(self, run_id: str, number: int) -> int:
        """How many reports an attempt left."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM report WHERE run = ? AND attempt = ?", (run_seq(db, run_id), number)
            ).fetchone()
        return int(row[0])

    def reports(self, run_id: str) -> dict[str, Any]:
        """The reports of a run by name; of several attempts the newest one's."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT name, data FROM report WHERE run = ? ORDER BY attempt, name", (run_seq(db, run_id),)
            ).fetchall()
        found = {name: json.loads(data) for name, data in rows}
        return {name: found[name] for name in sorted(found)}

    def last_word(self, run_id: str, number: int) -> dict[str, Any] | None:
        """The `done` record of an attempt: `t` (by our clock), `reason` and `message`; None without one."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT t, data FROM event WHERE subject = ? AND name = 'done' AND json_extract(data,"
                " '$.attempt') = ?"
                " ORDER BY id DESC LIMIT 1",
                (run_id, number),
            ).fetchone()
        return None if row is None else {**json.loads(row[1]), "t": row[0]}
