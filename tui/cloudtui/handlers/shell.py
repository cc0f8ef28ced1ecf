"""A shell on a machine: a process of its own has this terminal until it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from cloudtui.handlers import instance as instances
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import RefusedError, UnreachableError, from_dict
from cloudtui_engine.records.instance import LOCAL, Instance

_SSH_FAILED = 255
_MODULE = "cloudtui_engine.hosts.shell"


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell that was left, or a command that ended."""

    name: str
    exit_status: int


def shell(session: Session, instance: str, command: Sequence[str] = ()) -> Shell:
    """Be in it until it ends. Belongs to the main thread: signals are turned away meanwhile.

    Raises:
        CloudtuiError: there was none, or its connection was lost.
    """
    found = instances.find(session, instance)
    check(found)
    read, write = os.pipe()
    words = [sys.executable, "-m", _MODULE, "--home", str(session.paths.home), "--report", str(write)]
    with os.fdopen(read, "rb") as report, _kept_terminal(), deaf():
        try:
            process = subprocess.Popen([*words, "--", found.id, *command], pass_fds=(write,))
        finally:
            os.close(write)
        status = process.wait()
        said = report.read()
    if said:
        raise from_dict(json.loads(said))
    if status == _SSH_FAILED and found.address.via == "ssh":
        raise UnreachableError(
            f"Your ssh ended with {status}: {found.name} was lost, or what ran there ended so.",
            f"Log in again: cloudtui instance connect {found.name}",
            code="lost",
        )
    return Shell(found.name, status if status >= 0 else 128 - status)


def check(instance: Instance) -> None:
    """See that there is a way to it.

    Raises:
        RefusedError: there is none; says why.
    """
    if instance.name == LOCAL or instance.address.host:
        return
    state = "is gone" if instance.is_gone else f"is {instance.cloud_state or 'being made'}"
    raise RefusedError(
        f"{instance.name} has no address: it {state}.",
        f"See: cloudtui instance show {instance.name}",
        code="no_address",
    )


@contextlib.contextmanager
def _kept_terminal() -> Iterator[None]:
    """Its modes are afterwards what they were before, even where the process was killed over them."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal itself is gone
            termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Ctrl-c is for the process that has the terminal. A handler, unlike ignoring, is not inherited."""
    before = signal.signal(signal.SIGINT, _unheard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _unheard(_number: int, _frame: FrameType | None) -> None:
    """For the other process."""
