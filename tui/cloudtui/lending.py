"""The desktop's terminal, lent to something else: the desktop stands aside and comes back as it was."""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from textual.app import App, SuspendNotSupported

from cloudtui.handlers.shell import deaf
from cloudtui_engine.errors import CloudtuiError, RefusedError
from cloudtui_engine.sanitize import clean

T = TypeVar("T")
_TOLD = {
    "shell": "A shell on {name}: exit, or ~. at the beginning of a line, brings the desktop back.",
    "connect": "Your own ssh logs in to {name}. It asks here; then the desktop is back.",
}
LENT = frozenset(f"instance.{verb}" for verb in _TOLD)
"""Actions that need the terminal itself."""


def lend(app: App[Any], name: str, work: Callable[[], T], verb: str = "shell") -> T:
    """Do `work` with the terminal as it is without the desktop.

    Nothing of the desktop goes on meanwhile. What fails is read before the desktop comes back over it.

    Args:
        app: the desktop.
        name: of the machine.
        work: what is done.
        verb: of the command that does the same.

    Raises:
        RefusedError: there is no terminal, since the desktop is in a browser (code `no_terminal`).
        CloudtuiError: as `work`; the person has read it.
    """
    failed: Exception | None = None
    done: list[T] = []
    try:
        with app.suspend(), deaf():
            try:
                _say(_TOLD[verb].format(name=name) + "\n")
                done.append(work())
            except CloudtuiError as error:
                failed = error
                _read_first(error)
            except Exception as error:  # noqa: BLE001 - without the end of this block the screen stays away
                failed = error
            _forget_typed()
    except SuspendNotSupported:
        raise RefusedError(
            "This needs a terminal, and a browser has none to give.",
            f"In a terminal: cloudtui instance {verb} {name}",
            code="no_terminal",
        ) from None
    if failed is not None:
        raise failed
    return done[0]


def lend_all(
    app: App[Any],
    works: Sequence[tuple[str, Callable[[], T]]],
    say: Callable[[CloudtuiError], None],
    verb: str = "shell",
) -> list[T]:
    """One after the other, as long as none fails; what came of them.

    Args:
        app: the desktop.
        works: machines and what is done there.
        say: is told why there is no terminal; all else was read before the desktop came back.
        verb: of the command that does the same.
    """
    done: list[T] = []
    for name, work in works:
        try:
            done.append(lend(app, name, work, verb))
        except CloudtuiError as error:
            if error.code == "no_terminal":
                say(error)
            break
    return done


def _read_first(error: CloudtuiError) -> None:
    # What was cut off may have left the cursor behind a prompt.
    _say("\n" + "".join(f"{part}\n" for part in (error.message, error.hint) if part))
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
