"""A shell on one host, in this terminal: `python -m cloudtui_engine.hosts.shell`, a process of its own.

It makes its own connection, with the engine's own decisions about keys and hosts (`connect`), so it takes
nothing from the engine's lanes and goes on without an engine. A transport whose shell is a program of this
machine is that program from then on.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import paramiko

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, HostKeyError, LoginNeededError, RefusedError
from cloudtui_engine.hosts import master, terminal
from cloudtui_engine.hosts.connect import connect
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.hosts.transport.local import LocalTransport
from cloudtui_engine.hosts.transport.openssh import OpenSshTransport
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.sanitize import clean_line

TRIES = 3
"""So often a passphrase may be wrong."""
_OPEN_S = 20.0
_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "COLORTERM")
"""What ssh is usually set up to send; a host takes it or not."""


class Told:
    """Passphrases as the person at this terminal says them, in the place of the engine's memory."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, subject: str) -> dict[str, str]:  # noqa: ARG002 - there is one instance here
        """What was said so far."""
        return dict(self._values)

    def ask(self, key_file: str) -> None:
        """Ask for one; it is not shown."""
        self._values["passphrase"] = getpass.getpass(f"Passphrase of {clean_line(key_file, 200)}: ")


def reached(paths: Paths, instance: Instance) -> Transport:
    """A connected transport; who sits at this terminal is asked for what only they can say.

    Raises:
        CloudtuiError: as `connect`; whatever it asks for where nobody sits here.
    """
    told, accept, tries = Told(), set[str](), TRIES
    while True:
        try:
            return connect(paths, told, instance, accept)[0]
        except PassphraseError as error:
            if not terminal.is_one() or not tries:
                raise
            if tries < TRIES:
                print(error.message, file=sys.stderr)  # noqa: T201 - a dialogue at the terminal
            tries -= 1
            told.ask(error.key_file)
        except HostKeyError as error:
            if error.changed or accept or not terminal.is_one() or not _is_right(instance, error):
                raise
            accept.add(error.fingerprint)
        except LoginNeededError:
            if not terminal.is_one():
                raise
            master.of(paths, instance.address, instance.name).log_in_here()


def _is_right(instance: Instance, error: HostKeyError) -> bool:
    """The same question as when a machine is added; a key that has changed is never asked about."""
    where = clean_line(str(instance.address), 200)
    print(f"The key of {where} is not known here:\n  {error.fingerprint}", file=sys.stderr)  # noqa: T201
    return input("Is this what the host's owner says? [y/N] ").strip().lower() in {"y", "yes"}


def line_of(words: Sequence[str]) -> str:
    """The line for the host's shell: one word is a line by itself, several stay the words they are."""
    return words[0] if len(words) == 1 else shlex.join(words)


def run(transport: Transport, command: str) -> int:
    """Be in the shell, or in `command`, until it ends; its exit status.

    Raises:
        UnreachableError: the connection was lost.
    """
    if isinstance(transport, LocalTransport):
        shell = os.environ.get("SHELL") or "/bin/sh"
        with contextlib.suppress(OSError):
            os.chdir(Path.home())
        _become([shell, "-c", command] if command else [shell, "-l"])
    if isinstance(transport, OpenSshTransport):
        _become(transport.master.command(command, terminal=terminal.is_one()))
    if not isinstance(transport, SshTransport):
        raise RefusedError(f"{transport.name} is reached in a way that has no shell.")
    return terminal.lend(transport.session(_OPEN_S, lambda one: _begin(one, command)), transport.name)


def _begin(channel: paramiko.Channel, command: str) -> None:
    """Ask for the shell or the command, with a terminal of this one's size where this is one."""
    if terminal.is_one():
        columns, rows = terminal.size()
        channel.get_pty(os.environ.get("TERM") or "vt100", columns, rows)
    channel.update_environment({name: os.environ[name] for name in _PASSED_ON if name in os.environ})
    if command:
        channel.exec_command(command)
    else:
        channel.invoke_shell()


def _become(words: Sequence[str]) -> NoReturn:
    """This process is that program from now on, with signals as programs expect them."""
    for number in (signal.SIGINT, signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(words[0], list(words))  # noqa: S606 - no shell in between is just what is wanted
    except OSError as error:
        raise RefusedError(f"{words[0]} cannot be run: {error.strerror}.", "Is it installed?") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Its exit status; why there was no shell, or none any more, is JSON in the descriptor `--report`."""
    parser = argparse.ArgumentParser(prog="cloudtui-shell")
    parser.add_argument("--home", required=True)
    parser.add_argument("--report", type=int, default=-1)
    parser.add_argument("instance")
    parser.add_argument("command", nargs="*")
    given = parser.parse_args(argv)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this may have ignored it
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # only a shell can be left standing
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    if given.report >= 0:
        os.set_inheritable(given.report, False)
    try:
        return _main(Paths.find(given.home), given.instance, given.command)
    except terminal.Left:
        return 0
    except (KeyboardInterrupt, EOFError):  # nothing was said to a question
        return 130
    except CloudtuiError as error:
        _report(given.report, error)
        return error.exit_status


def _main(paths: Paths, instance_id: str, command: Sequence[str]) -> int:
    with contextlib.closing(Catalog.open(paths)) as catalog:
        instance = catalog.instances.get(instance_id)
    transport = reached(paths, instance)
    try:
        return run(transport, line_of(command) if command else "")
    finally:
        transport.close()


def _report(descriptor: int, error: CloudtuiError) -> None:
    if descriptor < 0:
        print(clean_line(f"{error.message} {error.hint}", 1000), file=sys.stderr)  # noqa: T201
        return
    with os.fdopen(descriptor, "w") as report:
        json.dump(error.as_dict(), report)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """The terminal is given back on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
