"""The desktop's terminal, lent to something else: the desktop stands aside and comes back as it was."""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App, SuspendNotSupported

from cloudtui.handlers.shell import deaf
from cloudtui_engine.errors import CloudtuiError, RefusedError
from cloudtui_engine.sanitize import clean

T = TypeVar("T")


def lend(app: App[Any], name: str, work: Callable[[], T]) -> T:
    """Do `work` with the terminal as it is without the desktop.

    Nothing of the desktop goes on meanwhile. What fails is read before the desktop comes back over it.

    Raises:
        RefusedError: there is no terminal, since the desktop is in a browser (code `no_terminal`).
        CloudtuiError: as `work`; the person has read it.
    """
    failed: Exception | None = None
    done: list[T] = []
    try:
        with app.suspend(), deaf():
            try:
                _say(f"A shell on {name}. It ends with exit, or ~. at the beginning of a line; then the desktop is back.\n")
                done.append(work())
            except CloudtuiError as error:
                failed = error
                _read_first(error)
            except Exception as error:  # noqa: BLE001 - without the end of this block the screen stays away
                failed = error
            _forget_typed()
    except SuspendNotSupported:
        raise RefusedError(
            "A shell needs a terminal, and a browser has none to give.",
            f"In a terminal: cloudtui instance shell {name}",
            code="no_terminal",
        ) from None
    if failed is not None:
        raise failed
    return done[0]


def _read_first(error: CloudtuiError) -> None:
    _say("".join(f"{part}\n" for part in (error.message, error.hint) if part))
    _say("Enter goes back to the desktop. ")
    _forget_typed()
    sys.stdin.readline()


def _say(text: str) -> None:
    sys.stdout.write(clean(text))
    sys.stdout.flush()


def _forget_typed() -> None:
    """Keys that were meant for the shell are none of the desktop's."""
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
