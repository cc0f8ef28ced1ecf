"""Tries of runs, and how their states change."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from typing import Any

from cloudtui_engine.catalog.base import Repository, Row, dumps
from cloudtui_engine.catalog.notices import Notices
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.catalog.run_rows import flatten, param_row
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.records.run import Attempt, Run, RunState
from cloudtui_engine.records.states import can_move

_SELECT = (
    "SELECT r.id, a.number, a.state, a.instance_id, a.from_step, a.created_at, a.started_at, a.ended_at,"
    " a.stop_requested_at, a.exit_code, a.reason, a.machine_id FROM attempt a JOIN run r ON r.seq = a.run"
)
_FIELDS = frozenset({"started_at", "ended_at", "exit_code", "reason", "machine_id"})
_NOTICES = {
    RunState.SUCCEEDED: "finished",
    RunState.FAILED: "failed",
    RunState.STOPPED: "stopped",
    RunState.LOST: "lost",
}
_FINISHED = tuple(str(state) for state in RunState if state.is_finished)


class Attempts(Repository):
    """The rows of `attempt` and `placement`, and what follows from them in `run`."""

    def _insert(self, run: Run, instance_ids: Sequence[str]) -> None:
        """Keep a new run with its first attempt, queued."""
        created = run.created_at or time.time()
        row = (
            run.id,
            run.name,
            run.kind,
            RunState.QUEUED,
            1,
            " ".join(instance_ids),
            run.dataset_id,
            run.task,
            run.model,
            dumps(run.params),
            created,
            run.note,
            dumps(run.spec),
            run.model_id,
        )
        with self._catalog.write("run") as db:
            seq = db.execute(
                "INSERT INTO run (id, name, kind, status, attempt, instance_ids, dataset_id, task,"
                " model, params,"
                " created_at, note, spec, model_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
                row,
            ).fetchone()[0]
            params = [(seq, *param_row(key, value)) for key, value in flatten(run.params).items()]
            db.executemany("INSERT INTO param VALUES (?, ?, ?, ?)", params)
            db.executemany("INSERT INTO tag VALUES (?, ?)", [(seq, tag) for tag in sorted(set(run.tags))])
            _place(db, seq, 1, instance_ids, created)

    def add_attempt(self, run_id: str, instance_ids: Sequence[str], at: float) -> Attempt:
        """Try again: a new attempt, queued.

        Raises:
            RefusedError: the newest attempt is not finished.
        """
        with self._catalog.write("run") as db:
            seq = run_seq(db, run_id)
            status, newest = db.execute("SELECT status, attempt FROM run WHERE seq = ?", (seq,)).fetchone()
            if status not in _FINISHED:
                raise RefusedError(
                    f"Run {run_id} is {status}.", "Stop it first, or wait for its end.", code="not_finished"
                )
            _place(db, seq, newest + 1, instance_ids, at)
            db.execute(
                "UPDATE run SET attempt = ?, status = ?, instance_ids = ?, ended_at = NULL, exit_code ="
                " NULL, reason = '',"
                " past_s = past_s + COALESCE(ended_at - since, 0), since = NULL, stale_since = NULL,"
                " progress = '{}'"
                " WHERE seq = ?",
                (newest + 1, RunState.QUEUED, " ".join(instance_ids), seq),
            )
            return self.attempt(run_id, newest + 1)

    def attempt(self, run_id: str, number: int) -> Attempt:
        """One attempt."""
        with self._catalog.read() as db:
            row = db.execute(f"{_SELECT} WHERE r.id = ? AND a.number = ?", (run_id, number)).fetchone()
        if row is None:
            raise NotFoundError(f"There is no attempt {number} of run {run_id!r}.")
        return _attempt(row)

    def attempts(self, run_id: str) -> list[Attempt]:
        """All attempts of a run, first to last."""
        with self._catalog.read() as db:
            rows = db.execute(f"{_SELECT} WHERE r.id = ? ORDER BY a.number", (run_id,)).fetchall()
        return [_attempt(row) for row in rows]

    def newest_attempt(self, run_id: str) -> int:
        """The number of a run's newest attempt."""
        with self._catalog.read() as db:
            row = db.execute("SELECT attempt FROM run WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.", "See `cloudtui run list`.")
        return int(row[0])

    def open_attempts(self) -> list[Attempt]:
        """All that are not finished, oldest run first."""
        states = [str(state) for state in RunState if not state.is_finished]
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_SELECT} WHERE a.state IN ({','.join('?' * len(states))}) ORDER BY r.seq, a.number", states
            ).fetchall()
        return [_attempt(row) for row in rows]

    def on_instance(self, instance_id: str) -> list[tuple[str, Attempt]]:
        """All that were placed there, with the names of their runs, the oldest first; not of deleted runs."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT p.name, t.* FROM ({_SELECT}) t JOIN run p ON p.id = t.id"
                " JOIN placement l ON l.run = p.seq AND l.attempt = t.number"
                " WHERE l.instance_id = ? AND p.deleted_at IS NULL ORDER BY p.seq, t.number",
                (instance_id,),
            ).fetchall()
        return [(row[0], _attempt(row[1:])) for row in rows]

    def move(
        self,
        run_id: str,
        number: int,
        to: RunState,
        *,
        expected: RunState | Collection[RunState],
        **fields: Any,
    ) -> bool:
        """Change an attempt's state if it is (one of) `expected`; the run follows its newest attempt.

        Times that are not given are now; a proof that revises `lost` takes its end back.

        Args:
            run_id: the run.
            number: the attempt.
            to: the new state.
            expected: what the caller believes it is.
            **fields: `started_at, ended_at, exit_code, reason, machine_id`.

        Returns:
            False, with nothing changed, when it is in another state.

        Raises:
            ValueError: no attempt may change like that, or it has no such field.
        """
        if fields.keys() - _FIELDS:
            raise ValueError(f"An attempt has no such fields to set: {sorted(fields.keys() - _FIELDS)}")
        allowed = {expected} if isinstance(expected, RunState) else set(expected)
        with self._catalog.write("run") as db:
            seq = run_seq(db, run_id)
            row = db.execute(
                "SELECT state, started_at FROM attempt WHERE run = ? AND number = ?", (seq, number)
            ).fetchone()
            if row is None or RunState(row[0]) not in allowed:
                return False
            if not can_move(RunState(row[0]), to):
                raise ValueError(f"An attempt that is {row[0]} cannot become {to}.")
            _apply(db, seq, number, to, _with_times(to, row[1], fields))
            if to in _NOTICES:
                reason, at = str(fields.get("reason") or ""), fields.get("ended_at")
                Notices(self._catalog).add(_NOTICES[to], run_id, number, reason, at=at)
        return True

    def request_stop(self, run_id: str, number: int, at: float) -> None:
        """Remember that the user wants it stopped."""
        with self._catalog.write("run") as db:
            db.execute(
                "UPDATE attempt SET stop_requested_at = COALESCE(stop_requested_at, ?) WHERE run = ?"
                " AND number = ?",
                (at, run_seq(db, run_id), number),
            )

    def set_from_step(self, run_id: str, number: int, step: int) -> None:
        """It went on from this step: hides later points of earlier attempts, and summaries follow."""
        from cloudtui_engine.catalog.metrics import hide_after  # the first screen does without

        with self._catalog.write("run", f"metric:{run_id}") as db:
            seq = run_seq(db, run_id)
            goals = db.execute("SELECT goals FROM run WHERE seq = ?", (seq,)).fetchone()[0]
            hide_after(db, seq, number, step, json.loads(goals))


def _place(db: sqlite3.Connection, seq: int, number: int, instance_ids: Sequence[str], at: float) -> None:
    if not instance_ids:
        raise ValueError("An attempt needs an instance.")
    db.execute(
        "INSERT INTO attempt (run, number, state, instance_id, created_at) VALUES (?, ?, ?, ?, ?)",
        (seq, number, RunState.QUEUED, instance_ids[0], at),
    )
    db.executemany(
        "INSERT INTO placement (run, attempt, instance_id, rank, status) VALUES (?, ?, ?, ?, ?)",
        [(seq, number, instance, rank, RunState.QUEUED) for rank, instance in enumerate(instance_ids)],
    )


def _with_times(to: RunState, started_at: float | None, fields: dict[str, Any]) -> dict[str, Any]:
    fields = dict(fields)
    if to is RunState.RUNNING and started_at is None:
        fields.setdefault("started_at", time.time())
    if to.is_finished:
        fields.setdefault("ended_at", time.time())
    elif to is RunState.RUNNING:
        fields |= {"ended_at": None, "exit_code": None, "reason": fields.get("reason", "")}
    return fields


def _apply(db: sqlite3.Connection, seq: int, number: int, to: RunState, fields: dict[str, Any]) -> None:
    assigned = "".join(f", {name} = ?" for name in fields)
    db.execute(
        f"UPDATE attempt SET state = ?{assigned} WHERE run = ? AND number = ?",
        (to, *fields.values(), seq, number),
    )
    db.execute("UPDATE placement SET status = ? WHERE run = ? AND attempt = ?", (to, seq, number))
    mirrored = {name: value for name, value in fields.items() if name not in {"machine_id", "started_at"}}
    if "started_at" in fields:
        mirrored["since"] = fields["started_at"]
    assigned = "".join(f", {name} = ?" for name in mirrored)
    stale = ", stale_since = NULL" if to.is_finished else ""
    db.execute(
        f"UPDATE run SET status = ?{assigned}{stale} WHERE seq = ? AND attempt = ?",
        (to, *mirrored.values(), seq, number),
    )
    if fields.get("started_at") is not None:
        db.execute(
            "UPDATE run SET started_at = COALESCE(started_at, ?) WHERE seq = ? AND attempt = ?",
            (fields["started_at"], seq, number),
        )


def _attempt(row: Row) -> Attempt:
    return Attempt(row[0], row[1], RunState(row[2]), *row[3:])
