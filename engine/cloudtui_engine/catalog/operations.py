"""Commands that were committed, and how far they are."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from cloudtui_engine.catalog import action_log
from cloudtui_engine.catalog.base import Repository, Row, dumps, marks, prefix_end, the_one
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.operation import Operation, OperationState

Found = list[Operation]
_COLUMNS = (
    "id, kind, target, args, key, state, question, answer, progress, result, error, pickups,"
    " created_at, started_at,"
    " ended_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM operation"
_OPEN = "state IN ('pending', 'running', 'needs_you')"


class Operations(Repository):
    """The rows of `operation`."""

    def submit(self, kind: str, target: str, args: Mapping[str, Any], key: str | None = None) -> Operation:
        """Commit a command; the one that has the key already is returned instead of a second one."""
        operation_id = new_id()
        row = (operation_id, kind, target, dumps(args), key or operation_id, time.time())
        with self._catalog.write("operation") as db:
            db.execute(
                "INSERT INTO operation (id, kind, target, args, key, created_at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                row,
            )
            found = _operation(db.execute(f"{_SELECT} WHERE key = ?", (row[4],)).fetchone())
            action_log.note(db, found.id)
            return found

    def get(self, operation_id: str) -> Operation:
        """The operation with this id."""
        with self._catalog.read() as db:
            row = db.execute(f"{_SELECT} WHERE id = ?", (operation_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"There is no operation {operation_id!r}.")
        return _operation(row)

    def find(self, text: str) -> Operation:
        """The operation with this id, or whose id alone begins so."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT id, kind FROM operation WHERE id >= ? AND id < ? ORDER BY seq DESC LIMIT 6",
                (text, prefix_end(text)),
            ).fetchall()
            rows = [row for row in rows if row[0] == text] or rows
            return self.get(the_one(rows if text else [], "operation", text)[0])

    def has_key(self, key: str) -> bool:
        """Whether there is an operation with this idempotency key, finished or not."""
        with self._catalog.read() as db:
            return db.execute("SELECT 1 FROM operation WHERE key = ?", (key,)).fetchone() is not None

    def list(self, limit: int = 200, states: Collection[OperationState] | None = None) -> Found:
        """The newest, newest first."""
        chosen = [str(state) for state in states or ()]
        where = f" WHERE state IN ({marks(chosen)})" if states is not None else ""
        with self._catalog.read() as db:
            rows = db.execute(f"{_SELECT}{where} ORDER BY seq DESC LIMIT ?", (*chosen, limit)).fetchall()
        return [_operation(row) for row in rows]

    def pending(self) -> Found:
        """What waits to be taken up, in the order it was committed."""
        with self._catalog.read() as db:
            rows = db.execute(f"{_SELECT} WHERE state = 'pending' ORDER BY seq").fetchall()
        return [_operation(row) for row in rows]

    def open_for(self, target: str) -> Found:
        """What is not finished for this object, in the order it was committed."""
        with self._catalog.read() as db:
            rows = db.execute(f"{_SELECT} WHERE target = ? AND {_OPEN} ORDER BY seq", (target,)).fetchall()
        return [_operation(row) for row in rows]

    def open_of(self, kinds: Collection[str]) -> Found:
        """What is not finished of these kinds, in the order it was committed."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_SELECT} WHERE kind IN ({marks(kinds)}) AND {_OPEN} ORDER BY seq", tuple(kinds)
            ).fetchall()
        return [_operation(row) for row in rows]

    def about(self, kind: str, target: str, limit: int = 50) -> Found:
        """The newest of this kind for this object, newest first."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_SELECT} WHERE kind = ? AND target = ? ORDER BY seq DESC LIMIT ?", (kind, target, limit)
            ).fetchall()
        return [_operation(row) for row in rows]

    def prune(self, kind: str, before: float, args: Mapping[str, Any] | None = None) -> int:
        """Forget finished operations of a kind that was asked for with these arguments; returns how many.

        For what an engine asks for again and again by itself, and nobody reads later.
        """
        with self._catalog.write("operation") as db:
            return db.execute(
                f"DELETE FROM operation WHERE kind = ? AND args = ? AND ended_at < ? AND NOT {_OPEN}",
                (kind, dumps(args or {}), before),
            ).rowcount

    def newest(
        self, kind: str, target: str, args: Mapping[str, Any], *, done: bool = True
    ) -> Operation | None:
        """The newest of this kind with this target and these arguments; None: there is none.

        Args:
            kind: of the operation.
            target: of the operation.
            args: of the operation, all of them.
            done: only one that is done; else however far it is.
        """
        which = " AND state = 'done'" if done else ""
        with self._catalog.read() as db:
            row = db.execute(
                f"{_SELECT} WHERE kind = ? AND target = ? AND args = ?{which} ORDER BY seq DESC LIMIT 1",
                (kind, target, dumps(args)),
            ).fetchone()
        return None if row is None else _operation(row)

    def prune_answers(self, kind: str, before: float) -> int:
        """Forget what was asked before and is over; the newest answer to each question stays.

        Returns:
            How many went.
        """
        with self._catalog.write("operation") as db:
            return db.execute(
                f"DELETE FROM operation WHERE kind = ? AND ended_at < ? AND NOT {_OPEN}"
                " AND (state != 'done' OR EXISTS"
                " (SELECT 1 FROM operation AS later WHERE later.kind = operation.kind"
                " AND later.target = operation.target AND later.args = operation.args"
                " AND later.state = 'done' AND later.seq > operation.seq))",
                (kind, before),
            ).rowcount

    def requeue_running(self) -> int:
        """A new engine takes over: what a dead one had taken up is pending again. Returns how many."""
        return self._set("state = 'running'", (), state="pending")

    def requeue(self, operation_id: str) -> None:
        """Whoever had taken it up left it undone: it is pending again."""
        self._set("id = ? AND state = 'running'", (operation_id,), state="pending")

    def take(self, operation_id: str) -> bool:
        """Begin with it; False when somebody else has, or it is not pending."""
        with self._catalog.write("operation") as db:
            done = db.execute(
                "UPDATE operation SET state = 'running', pickups = pickups + 1,"
                " started_at = COALESCE(started_at, ?) WHERE id = ? AND state = 'pending'",
                (time.time(), operation_id),
            ).rowcount
        return done == 1

    def set_progress(self, operation_id: str, progress: Mapping[str, Any]) -> None:
        """Say how far it is."""
        self._set(f"id = ? AND {_OPEN}", (operation_id,), progress=dumps(progress))

    def ask(self, operation_id: str, question: Mapping[str, Any]) -> None:
        """It waits for the user's answer."""
        where = "id = ? AND state IN ('pending', 'running')"
        self._set(where, (operation_id,), state="needs_you", question=dumps(question), answer="{}")

    def answer(self, operation_id: str, answer: Mapping[str, Any]) -> bool:
        """Answer its question: it is pending again. False when it asks nothing."""
        where = "id = ? AND state = 'needs_you'"
        return self._set(where, (operation_id,), state="pending", answer=dumps(answer)) == 1

    def finish(self, operation_id: str, result: Mapping[str, Any] | None = None) -> None:
        """It is done."""
        self._end(operation_id, "done", result=dumps(result or {}))

    def fail(self, operation_id: str, error: Mapping[str, Any]) -> None:
        """It failed; `error` is `CloudtuiError.as_dict()`."""
        self._end(operation_id, "failed", error=dumps(error))

    def cancel(self, operation_id: str) -> bool:
        """Take it back; False when it is being carried out or finished."""
        where = "id = ? AND state IN ('pending', 'needs_you')"
        return self._set(where, (operation_id,), state="cancelled", ended_at=time.time()) == 1

    def withdraw(self, operation_id: str) -> bool:
        """Take it back wherever it is; who carries it out has to look. False when it is finished."""
        where = f"id = ? AND {_OPEN}"
        return self._set(where, (operation_id,), state="cancelled", ended_at=time.time()) == 1

    def _end(self, operation_id: str, state: str, **fields: Any) -> None:
        self._set(f"id = ? AND {_OPEN}", (operation_id,), state=state, ended_at=time.time(), **fields)

    def _set(self, where: str, values: tuple[Any, ...], **fields: Any) -> int:
        assigned = ", ".join(f"{name} = ?" for name in fields)
        with self._catalog.write("operation") as db:
            return db.execute(
                f"UPDATE operation SET {assigned} WHERE {where}", (*fields.values(), *values)
            ).rowcount


def _operation(row: Row) -> Operation:
    (key, kind, target, args, idempotency, state, question, answer, progress, result, error, *rest) = row
    return Operation(
        key, kind, target, json.loads(args), idempotency, OperationState(state), json.loads(question),
        json.loads(answer), json.loads(progress), json.loads(result), json.loads(error), *rest,
    )  # fmt: skip
