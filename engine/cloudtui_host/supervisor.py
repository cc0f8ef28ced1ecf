"""The parent of one job: starts it, watches it, writes down how it ended."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from typing import Any, Dict, Mapping, NoReturn, Optional, Tuple

from cloudtui_host import detached, files, proc, shim
from cloudtui_host import spec as spec_module
from cloudtui_host.child import OwnChild
from cloudtui_host.guard import Guard


def setup_script(setup: str) -> bytes:
    """The script that runs a setup command and then, with its environment, what it is given as arguments."""
    return ('set -e\n%s\nset +e\nexec "$@"\n' % setup).encode("utf-8", "surrogateescape")


def run(root: str, job: str, folder: str, spec: spec_module.Spec, alive: int) -> NoReturn:
    """Be the supervisor of an attempt whose folder is in place; `alive` holds its lock. Never returns."""
    try:
        detached.stand_alone([alive], os.path.join(folder, "supervisor.log"))
        os.chdir(folder)
        files.write_json(os.path.join(folder, "supervisor.json"), proc.identity(os.getpid()))
        _supervise(root, job, folder, spec, alive)
    except BaseException:  # noqa: BLE001 - see below
        # Broad, for this is a forked child: nothing, an exit neither, may go on into the starter's code. It
        # says why in the only place left.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _supervise(root: str, job: str, folder: str, spec: spec_module.Spec, alive: int) -> None:
    to_run = shim.Job(
        argv=spec_module.resolve_argv(spec, root, folder),
        env=spec_module.environment(spec, root, folder, job),
        cwd=spec_module.working_folder(spec, root, folder),
        has_setup=bool(spec.setup),
    )
    # A stop signal that comes before the guard listens waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
    pid = os.fork()
    if pid == 0:
        shim.become(folder, to_run, alive)
    guard = Guard(root, folder, OwnChild(pid), spec.grace_s, spec.sample_s, spec.taken_by)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGCHLD])
    ended = guard.until_end()
    guard.finish(verdict(folder, ended, guard.stopping, to_run.has_setup, guard.reason))


def verdict(
    folder: str, ended: Mapping[str, Any], stopped: bool, has_setup: bool, why: str = ""
) -> Dict[str, Any]:
    """The exit record: code or signal, the kind of end, and a sentence where these do not say it all."""
    code, number = ended["code"], ended["signal"]
    kind, reason = _kind(folder, number, stopped, has_setup)
    reason = why if kind == "stopped" and why else reason
    return {
        "code": code,
        "signal": number,
        "kind": kind,
        "reason": reason,
        "stopped": stopped,
        "began": _began(folder),
    }


def _kind(folder: str, number: Optional[int], stopped: bool, has_setup: bool) -> Tuple[str, str]:
    failed = files.read_json(os.path.join(folder, "child-error.json"))
    # The shim writes exec.json right before the command; a setup that ends the shell never gets there.
    began = os.path.exists(os.path.join(folder, "exec.json"))
    if failed is not None:
        return "exec_failed", "The command could not be run: %s." % failed.get("error")
    if stopped:
        return "stopped", "Stopped on request." if began else "Stopped on request, before its command began."
    if not began and has_setup:
        why = " " + _killed_by(number) if number is not None else ""
        return (
            "setup_failed",
            "The setup command failed; the job itself did not begin.%s See the console." % why,
        )
    if number is not None:
        return "signalled", _killed_by(number)
    if not began:
        return "exec_failed", "The job's process ended before its command began. See the console."
    return "exited", ""


def _killed_by(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "signal %d" % number
    hint = " The host may have run out of memory." if number == signal.SIGKILL else ""
    return "Killed by %s.%s" % (name, hint)


def _began(folder: str) -> Optional[float]:
    began = (files.read_json(os.path.join(folder, "exec.json")) or {}).get("t")
    return began if isinstance(began, float) and began <= time.time() else None
