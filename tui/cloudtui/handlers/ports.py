"""Ports and Jupyters of machines, here: asked for, listed, opened in a browser, stopped."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui.handlers import instance as instances
from cloudtui.handlers.session import Session
from cloudtui.handlers.shell import check
from cloudtui_engine import forwards as wanted
from cloudtui_engine.errors import NotFoundError, RefusedError, UsageError
from cloudtui_engine.records.forward import FORWARD, JUPYTER, Forwarded
from cloudtui_engine.records.instance import LOCAL, Instance
from cloudtui_engine.records.operation import Operation

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True, slots=True)
class Reached:
    """One that is open, and where a browser finds it."""

    forwarded: Forwarded
    address: str
    """A Jupyter's token is in it."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """One that is wanted no more."""

    forwarded: Forwarded


def forward(session: Session, instance: str, remote: str, local: int | None = None) -> Reached | Operation:
    """Have a port of a machine here.

    Raises:
        UsageError: that is no port. RefusedError: it is this machine, has no address, or the port is taken.
    """
    there, here = ports(remote, local)
    found = instances.find(session, instance)
    if found.name == LOCAL:
        raise RefusedError(
            f"This machine's port {there} is here already: http://127.0.0.1:{there}/", code="local"
        )
    return _asked(session, FORWARD, found, there, here)


def jupyter(
    session: Session, instance: str, local: int | None = None, browse: bool = False
) -> Reached | Operation:
    """Have a machine's Jupyter here; the one that runs there already, if one of ours does.

    Raises:
        RefusedError: the machine has none (code `not_installed`), or no address.
    """
    found = instances.find(session, instance)
    reached = _asked(session, JUPYTER, found, 0, _port(local) if local is not None else 0)
    if browse and isinstance(reached, Reached):
        browse_to(session, reached.forwarded)
    return reached


def forwards(
    session: Session, what: str | None = None, which: str | None = None
) -> list[Forwarded] | Reached | Stopped:
    """All that are held open, or one that is opened in a browser or stopped.

    Raises:
        UsageError: it is not said which one. NotFoundError: there is none such.
    """
    live = listed(session)
    if what is None:
        return live
    one = _the_one(live, what, which or "")
    if what == "open":
        browse_to(session, one)
        return Reached(one, wanted.address(session.paths, one))
    return stop(session, one)


def _the_one(live: Sequence[Forwarded], what: str, which: str) -> Forwarded:
    """By its port here, its machine where that has only one, or its id."""
    see = "See: cloudtui instance forwards"
    if not which:
        raise UsageError(f"Which one shall it {what}?", f"Say its port here or its machine. {see}")
    found = [one for one in live if which in {str(one.local), one.id, one.name}]
    if not found:
        raise NotFoundError(f"No port of a machine is at {which} here.", see)
    if len(found) > 1:
        raise UsageError(f"{len(found)} ports of {which} are here.", f"Say the port here. {see}")
    return found[0]


def listed(session: Session) -> list[Forwarded]:
    """All that somebody wants now."""
    from cloudtui_engine import operations

    return wanted.live(session.catalog, operations.engine_pid(session.paths))


def stop(session: Session, one: Forwarded) -> Stopped:
    """It is wanted no more. A Jupyter is ended on its machine, too."""
    wanted.stop(session.catalog, one)
    if one.kind == "jupyter":
        session.ensure_engine()
    return Stopped(one)


def address(session: Session, one: Forwarded) -> str:
    """Where a browser finds it.

    Raises:
        RefusedError: it is not open. FailedError: its token is gone.
    """
    if not one.is_open:
        raise RefusedError(
            f"{one.name} cannot be reached at this moment: {one.why or one.state}", code="not_open"
        )
    return wanted.address(session.paths, one)


def browse_to(session: Session, one: Forwarded) -> None:
    """Open it in a browser, by way of a file: a command line shows to everybody here what is in it.

    Raises:
        RefusedError: it is not open, or there is no browser on this screen.
    """
    where = address(session, one)
    graphical = sys.platform == "darwin" or any(os.environ.get(name) for name in (*_SCREENS, "BROWSER"))
    if not graphical or not webbrowser.open(wanted.page(session.paths, one).as_uri()):
        said = f"cloudtui instance jupyter {one.name} says it" if one.kind == "jupyter" else where
        raise RefusedError(
            "No browser can be opened from here.",
            f"Open its address yourself: y in the list of forwarded ports copies it; {said}",
            code="no_browser",
        )


def ports(remote: str, local: int | None) -> tuple[int, int]:
    """The port there, and the one here; 0 of the latter: any.

    Raises:
        UsageError: they are none, or the one here is said twice.
    """
    there, colon, here = remote.partition(":")
    if colon and local is not None:
        raise UsageError("The port here is said twice.", f"Leave out --local, or say {there} alone.")
    return _port(there), _port(here) if colon else 0 if local is None else _port(local)


def _port(value: str | int) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"{text or 'Nothing'} is no port.", "A port is a number from 1 to 65535.")
    return int(text)


def _asked(session: Session, kind: str, instance: Instance, remote: int, local: int) -> Reached | Operation:
    from cloudtui_engine import operations

    check(instance)
    operation = wanted.ask_for(session.catalog, kind, instance, remote, local)
    if not session.wait:
        session.ensure_engine()
        return operation
    forwarded: list[Forwarded] = []

    def is_open(operation: Operation) -> bool:
        forwarded[:] = [wanted.told(session.catalog, operation, operations.engine_pid(session.paths))]
        return forwarded[0].is_open

    if session.finish(operation, is_open).state.is_finished:
        raise RefusedError("It was stopped before it was open.", code="stopped")
    return Reached(forwarded[0], wanted.address(session.paths, forwarded[0]))
