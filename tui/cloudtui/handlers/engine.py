"""The engine of this home: look at it, end it, be it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudtui.handlers.session import Session
from cloudtui_engine.errors import NotFoundError, UsageError
from cloudtui_engine.records.operation import Operation, OperationState

if TYPE_CHECKING:
    from cloudtui.handlers.service import Service
    from cloudtui_engine.operations import EngineStatus


@dataclass(frozen=True, slots=True)
class Ended:
    """What a request to end came to."""

    was_running: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """An engine in the foreground has ended."""

    exit_status: int


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation, and what it is about by the name that people know."""

    id: str
    kind: str
    target: str
    about: str
    state: str
    args: Mapping[str, Any]
    progress: Mapping[str, Any]
    question: Mapping[str, Any]
    result: Mapping[str, Any]
    error: Mapping[str, Any]
    created_at: float
    started_at: float | None
    ended_at: float | None


def status(session: Session) -> EngineStatus:
    """Is one running, and what does it hold."""
    from cloudtui_engine import operations

    return operations.engine_status(session.paths, session.catalog)


def operations(session: Session, all: bool = False, limit: int = 50) -> list[OperationRow]:  # noqa: A002 - as its option
    """What was asked for and is not over; with `all`, what is over too."""
    if limit < 1:
        raise UsageError("--limit wants a number from 1.")
    states = None if all else [state for state in OperationState if not state.is_finished]
    return [operation_row(session, one) for one in session.catalog.operations.list(limit, states)]


def operation(session: Session, operation: str) -> OperationRow:
    """One operation, by its id or the beginning of it."""
    return operation_row(session, session.catalog.operations.find(operation))


def operation_row(session: Session, operation: Operation) -> OperationRow:
    """An operation with the name of what it is about."""
    noun = operation.kind.partition(".")[0]
    of_noun: Mapping[str, Callable[[str], Any]] = {
        "run": session.catalog.runs.get,
        "instance": session.catalog.instances.get,
        "dataset": session.catalog.datasets.get,
    }
    about = str(operation.args.get("name") or (operation.target if noun in {"provider", "fleet"} else ""))
    if operation.target and noun in of_noun:
        with suppress(NotFoundError):
            about = of_noun[noun](operation.target).name
    return OperationRow(
        operation.id, operation.kind, operation.target, about, str(operation.state), operation.args,
        operation.progress, operation.question, operation.result, operation.error,
        operation.created_at, operation.started_at, operation.ended_at,
    )  # fmt: skip


def stop(session: Session) -> Ended:
    """End it; work on hosts goes on."""
    from cloudtui_engine import operations

    return Ended(operations.stop_engine(session.paths, session.catalog))


def watch(session: Session, install: bool = False) -> Watched | Service:
    """Be the engine until ctrl-c, or write the service that is."""
    if install:
        from cloudtui.handlers.service import install as install_service

        return install_service(session.paths)
    from cloudtui_engine.engine import main

    session.close()
    return Watched(main(session.paths, foreground=True))
