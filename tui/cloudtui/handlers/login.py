"""Logging in to a machine by the user's own ssh, which asks its questions at this terminal."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from cloudtui.handlers import instance as instances
from cloudtui.handlers import values
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import CloudtuiError, RefusedError, from_dict
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import LOCAL, Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.sanitize import clean_line

_MODULE = "cloudtui_engine.hosts.login"


def connect(session: Session, instance: str, *, via: str | None = None) -> Instance | Operation:
    """Log in at this terminal, then look at the machine.

    Args:
        session: with a terminal, where the login may ask.
        instance: name or id.
        via: `ssh` or `cloudtui`: reach it so from now on.

    Raises:
        RefusedError: there is no terminal, or nothing to log in to.
    """
    found = instances.find(session, instance)
    if found.name == LOCAL or found.is_rented:
        raise RefusedError(
            f"Nobody needs to log in to {found.name}: cloudtui has its own key there, or needs none.",
            f"See how it is: cloudtui instance probe {found.name}",
            code="no_login",
        )
    if via:
        address = replace(found.address, via=values.way(via))
        session.catalog.instances.update(found.id, address=address)
        found = replace(found, address=address)
    if found.address.via == values.OWN_SSH:
        log_in(session.paths, found.name, asdict(found.address))
    return instances.probe(session, found.id)


def answered(session: Session, question: Mapping[str, Any]) -> bool:
    """Have the person log in that an operation waits for; whether they did. Why not, they have read."""
    session.on_progress(clean_line(str(question.get("text", "")), 300), None)
    try:
        log_in(session.paths, clean_line(str(question.get("name", "")), 80), question.get("address") or {})
    except CloudtuiError as error:
        session.on_progress(clean_line(f"{error.message} {error.hint}", 300), None)
        return False
    return True


def log_in(paths: Paths, name: str, address: Mapping[str, Any]) -> None:
    """Have the user's own ssh log in here; nothing is asked where it is logged in.

    Raises:
        RefusedError: there is no terminal to ask at.
        CloudtuiError: the login failed.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            f"Logging in to {name} may need you, and there is no terminal here.",
            f"In a terminal: cloudtui instance connect {name}",
            code="no_terminal",
        )
    done = _run(paths, name, address)
    if done:
        raise CloudtuiError(
            f"The login to {name} was broken off.",
            f"Once more: cloudtui instance connect {name}",
            code="interrupted",
        )


def log_out(paths: Paths, instance: Instance) -> None:
    """End the connection that their ssh holds; what runs on the host goes on."""
    with contextlib.suppress(CloudtuiError):  # it has an address that ssh never took
        _run(paths, instance.name, asdict(instance.address), "--end")


def _run(paths: Paths, name: str, address: Mapping[str, Any], *more: str) -> int:
    with tempfile.TemporaryFile() as report:
        number = report.fileno()
        words = ["--home", str(paths.home), "--report", str(number), "--name", name, *more, "--"]
        done = subprocess.run(
            [sys.executable, "-m", _MODULE, *words, json.dumps(dict(address))],
            stdout=subprocess.DEVNULL,  # our own standard output is the answer's
            pass_fds=[number],
            check=False,
        )
        report.seek(0)
        said = report.read()
    if said:
        raise from_dict(json.loads(said))
    return done.returncode
