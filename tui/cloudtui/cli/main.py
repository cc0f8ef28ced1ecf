"""One command, from its words to its exit status."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cloudtui.cli.parser import parse
from cloudtui.cli.progress import Progress
from cloudtui.handlers.session import LeftRunning, Session
from cloudtui_engine.errors import CloudtuiError, UsageError
from cloudtui_engine.paths import Paths

if TYPE_CHECKING:
    import argparse

    from cloudtui.actions.action import Action
    from cloudtui.handlers.logs import Log


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit status; nothing but results goes to stdout."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Until the command is understood, its own words say how errors are to be told.
    before = words[: words.index("--")] if "--" in words else words
    as_json, debug = "--json" in before, "--debug" in before
    _never_fail_on_characters()
    try:
        return _run(words)
    except CloudtuiError as error:
        return _told(error, as_json, debug)
    except KeyboardInterrupt:
        return _told(LeftRunning("Interrupted.", "What was started goes on."), as_json, debug)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    except BrokenPipeError:
        # Whoever read has seen enough; the interpreter must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the edge of the program: a defect is told as one, not as a traceback
        defect = CloudtuiError(
            f"A defect in cloudtui: {type(error).__name__}: {error}", "--debug shows where.", code="internal"
        )
        return _told(defect, as_json, debug)


def _run(words: Sequence[str]) -> int:
    options, action, arguments = parse(words)
    paths = Paths.find(options.home)
    if action is None:
        return _desktop(paths, read_only=options.read_only)
    interactive = sys.stdin.isatty() and sys.stderr.isatty()
    with contextlib.closing(Progress(sys.stderr)) as progress:
        session = _session(paths, progress, interactive)
        with contextlib.closing(session):
            return _carry_out(session, action, arguments, options, progress)


def _carry_out(
    session: Session,
    action: Action,
    arguments: dict[str, Any],
    options: argparse.Namespace,
    progress: Progress,
) -> int:
    from cloudtui.handlers import acting, resolve

    if action.id == "instance.shell":
        if options.json:
            raise UsageError(
                "--json has nothing to say of a shell: it prints what it prints.", "Leave it out."
            )
        progress.close()
    with acting.logged(session, action, arguments, "terminal"):
        result = resolve(action)(session, **arguments)
    if action.id == "run.logs" and (arguments.get("follow") or not options.json):
        progress.close()
        return _print_log(result, options.json)
    if getattr(result, "opens_desktop", False) and not options.json:
        progress.close()
        return _desktop(session.paths, select_run=result.run.id)
    progress.close()
    from cloudtui.cli import results

    if options.json:
        from cloudtui.cli.json_fields import document

        _print_json(document(result))
    else:
        cells = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        _print(results.lines(action, result, cells))
    return results.exit_status(action, result, arguments)


def _session(paths: Paths, progress: Progress, interactive: bool) -> Session:
    if not interactive:
        return Session(paths, on_progress=progress)
    from cloudtui.cli.ask import Terminal

    terminal = Terminal(progress.close)
    return Session(
        paths, interactive=True, on_progress=progress, ask=terminal.ask, ask_secret=terminal.secret
    )


def _desktop(paths: Paths, select_run: str | None = None, *, read_only: bool = False) -> int:
    in_browser = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")  # said by `cloudtui serve`
    if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The desktop needs a terminal, and there is none here.",
            "Name a command: cloudtui --help lists them, cloudtui run list shows your runs.",
        )
    if in_browser:
        from cloudtui.served.leaving import leave_with_server

        leave_with_server()
    else:
        from cloudtui.cli.hangup import leave_with_terminal

        leave_with_terminal()
    from cloudtui.sweeping import Sweeper

    with Sweeper() as sweeper:  # from here on: what is imported makes many objects and no garbage
        from cloudtui.app import run

        return run(paths, sweeper=sweeper, select_run=select_run, read_only=read_only)


def _print(lines: Sequence[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _print_json(document: Any) -> None:
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent) + "\n")
    sys.stdout.flush()


def _print_log(log: Log, as_json: bool) -> int:
    for line in log.lines():
        text = json.dumps({"line": line}, ensure_ascii=False) if as_json else line
        sys.stdout.write(text + "\n")
        if log.follow:
            sys.stdout.flush()
    sys.stdout.flush()
    return 0


def _told(error: CloudtuiError, as_json: bool, debug: bool) -> int:
    from cloudtui_engine.sanitize import clean

    if debug:
        traceback.print_exc(file=sys.stderr)
    if as_json:
        shown = {"code": error.code, "message": error.message, "hint": error.hint}
        _print_json({"error": {**shown, **error.details}})
    else:
        sys.stdout.flush()
        parts = (error.message, error.picture, error.hint)
        sys.stderr.write(clean("".join(f"{part}\n" for part in parts if part)))
    return error.exit_status


def _never_fail_on_characters() -> None:
    """A terminal that cannot show a glyph shows a stand-in."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
