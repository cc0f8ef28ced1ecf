"""The engine of this home: look at it, end it, be it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudtui.handlers.session import Session

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


def status(session: Session) -> EngineStatus:
    """Is one running, and what does it hold."""
    from cloudtui_engine import operations

    return operations.engine_status(session.paths, session.catalog)


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
