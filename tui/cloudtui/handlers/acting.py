"""The log of actions: kept while they are carried out, and read with what came of their operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from cloudtui.actions import ACTIONS, Action, changes, get
from cloudtui.actions.command import command
from cloudtui.handlers.engine import OperationRow, operation_row
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import CloudtuiError, NotFoundError, UsageError
from cloudtui_engine.records.logged import Logged
from cloudtui_engine.sanitize import clean_line

_WRITES = frozenset({"backup", "export"})
"""What leaves the catalog as it is, and yet does something."""
_UNTOLD = frozenset({"home.watch", "home.serve", "settings.get"})
"""Being the engine, serving the desktop and looking at a setting are no actions on anything."""
_WEIGHT = ("failed", "needs_you", "running", "pending", "cancelled", "done")
"""Of several operations the first of these says how all of them stand."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done, and how it ended."""

    t: float
    action: str
    command: str
    by: str
    """`desktop`, `terminal` or `engine`."""
    state: str
    """begun, pending, running, needs_you, done, failed, cancelled or interrupted."""
    message: str
    ended_at: float | None
    operations: tuple[str, ...]


def is_logged(action: Action) -> bool:
    """It is worth a line: it does something."""
    return (changes(action) or (bool(action.handler) and action.verb in _WRITES)) and action.id not in _UNTOLD


@contextmanager
def logged(session: Session, action: Action, shown: Mapping[str, Any], by: str) -> Iterator[None]:
    """Log what the body does; `shown` are its arguments with names instead of ids.

    A log that cannot be written stops nothing.
    """
    if not is_logged(action):
        yield
        return
    row = _begin(session, action, shown, by)
    state, message = "interrupted", ""
    try:
        from cloudtui_engine.catalog.action_log import within

        with within(row):
            yield
        state = "done"
    except CloudtuiError as error:
        if error.code != "interrupted":
            state, message = "failed", _safe(error.message)
        raise
    finally:
        if row is None and session.paths.catalog.exists():
            row = _written(session, action, shown, by)
        if row is not None:
            with suppress(CloudtuiError):
                session.catalog.action_log.end(row, state, message)


def _begin(session: Session, action: Action, shown: Mapping[str, Any], by: str) -> int | None:
    """A home that is not there is not made for its log, and one that is replaced has its row afterwards."""
    there = session.paths.catalog.exists() and action.id != "home.restore"
    return _written(session, action, shown, by) if there or action.starts_work else None


def _written(session: Session, action: Action, shown: Mapping[str, Any], by: str) -> int | None:
    from cloudtui.commanding.telling import told

    with suppress(CloudtuiError):
        return session.catalog.action_log.begin(action.id, told(action, shown), by)
    return None


def _safe(text: str) -> str:
    from cloudtui.secrecy import without_told

    return clean_line(without_told(text))


def list_acts(session: Session, limit: int = 50) -> list[Act]:
    """What was done, newest first: what somebody asked for, and what the engine did by itself."""
    if limit < 1:
        raise UsageError("--limit wants a number from 1.")
    return acts(session, limit)


def acts(session: Session, limit: int) -> list[Act]:
    """The newest of both, by the time at which they were begun."""
    rows = session.catalog.action_log.list(limit)
    found = session.catalog.operations.list(limit)
    by_id = {one.id: operation_row(session, one) for one in found}
    asked = {identity for row in rows for identity in row.operations}
    said = [_act(session, row, by_id) for row in rows]
    said += [_of_engine(one) for one in by_id.values() if one.target and one.id not in asked]
    return sorted(said, key=lambda act: act.t, reverse=True)[:limit]


def _act(session: Session, row: Logged, by_id: Mapping[str, OperationRow]) -> Act:
    """With its operations, where it committed some: they go on after the command has ended."""
    plain = Act(row.t, row.action, row.command, row.by, row.state, row.message, row.ended_at, row.operations)
    found = [one for one in (_operation(session, key, by_id) for key in row.operations) if one is not None]
    if not found or row.state == "failed":
        return plain
    one = min(found, key=lambda operation: _WEIGHT.index(operation.state))
    ends = [each.ended_at for each in found if each.ended_at is not None]
    ended = max([row.ended_at or 0.0, *ends]) if len(ends) == len(found) else None
    return Act(row.t, row.action, row.command, row.by, one.state, _said(one), ended, row.operations)


def _operation(session: Session, key: str, by_id: Mapping[str, OperationRow]) -> OperationRow | None:
    if key not in by_id:
        with suppress(NotFoundError):
            return operation_row(session, session.catalog.operations.get(key))
    return by_id.get(key)


def _of_engine(operation: OperationRow) -> Act:
    """One that nobody asked for with a command: the engine did it by itself, or it is older than the log."""
    known = next((one for one in ACTIONS if one.id == operation.kind), None)
    text = f"cloudtui operation show {operation.id}"
    if known is not None and known.arguments and known.arguments[0].kind == known.noun and operation.about:
        text = command(get(known.id), {known.arguments[0].name: clean_line(operation.about)})
    return Act(
        operation.created_at, operation.kind, text, "engine", operation.state, _said(operation),
        operation.ended_at, (operation.id,),
    )  # fmt: skip


def _said(operation: OperationRow) -> str:
    question = str(operation.question.get("kind") or "") if operation.state == "needs_you" else ""
    said = operation.error.get("message") or question or operation.progress.get("text") or ""
    return _safe(str(said)) if operation.state != "done" else ""
