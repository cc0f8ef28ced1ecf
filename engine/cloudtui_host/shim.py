"""The last steps of ours in the job's own process: say who it is, then become the job.

The process keeps its pid and start time through every exec, so what `child.json` says stays true. With a
setup command the way is: this process, the shell that runs the setup, this module again, the job.
"""

from __future__ import annotations

import json
import os
import time
from typing import Dict, List, NamedTuple, NoReturn

from cloudtui_host import detached, entry, files, layout, proc

NOT_STARTED = 127


class Job(NamedTuple):
    """What the process is to become."""

    argv: List[str]
    env: Dict[str, str]
    cwd: str
    has_setup: bool


def become(folder: str, job: Job, alive: int) -> NoReturn:
    """Write child.json, then exec the job (through its setup); never returns."""
    try:
        os.setsid()
        detached.default_signals()
        console = os.open(
            os.path.join(folder, layout.SOURCES["console"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
        )
        os.dup2(console, 1)
        os.dup2(console, 2)
        detached.keep_only([alive])
        os.set_inheritable(alive, True)
        who = proc.identity(os.getpid())
        files.write_json(os.path.join(folder, "child.json"), dict(who, pgid=os.getpgrp(), t=time.time()))
        if job.has_setup:
            shell = "/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh"
            to_here = entry.command("shim", "after_setup", folder)
            _write_job(folder, job.argv, job.cwd)
            os.chdir(job.cwd)
            os.execve(shell, [shell, os.path.join(folder, "setup.sh"), *to_here], job.env)  # noqa: S606
        _exec(folder, job.argv, job.env, job.cwd)
    except OSError as error:
        _fail(folder, "exec_failed", error)
    os._exit(NOT_STARTED)


def after_setup(folder: str) -> None:
    """Become the job, with the environment that the setup left."""
    try:
        with open(os.path.join(folder, "job.json"), "rb") as handle:
            job = json.load(handle)
        env = dict(os.environ)
        _exec(folder, job["argv"], env, job["cwd"])
    except (OSError, ValueError, KeyError) as error:
        _fail(folder, "exec_failed", error)
    os._exit(NOT_STARTED)


def _write_job(folder: str, argv: List[str], cwd: str) -> None:
    files.write_json(os.path.join(folder, "job.json"), {"argv": argv, "cwd": cwd})


def _exec(folder: str, argv: List[str], env: Dict[str, str], cwd: str) -> None:
    os.chdir(cwd)
    # Written before, because nothing can be written after: a setup that ended the shell itself leaves none.
    files.write_json(os.path.join(folder, "exec.json"), {"t": time.time()})
    os.execvpe(argv[0], argv, env)  # noqa: S606 - what the user asked to run


def _fail(folder: str, kind: str, error: Exception) -> None:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    name = error.filename if isinstance(error, OSError) else None
    text = "%s: %s" % (os.fsdecode(name), reason) if isinstance(name, (str, bytes)) else reason
    try:
        files.write_json(os.path.join(folder, "child-error.json"), {"kind": kind, "error": text})
    except OSError:
        os.write(2, ("cloudtui: the job could not be started: %s\n" % text).encode("utf-8", "replace"))
