"""The start of an attempt: once, whoever asks, however often, and whoever is killed meanwhile.

A starter holds the job's `run.lock`, prepares the whole attempt in a folder that nobody looks at, and renames
it to `aNNNN`: that rename is the one commit point. The attempt's own `alive.lock` is held before it, and
supervisor and child inherit its descriptor: it is free only when neither lives. Nobody waits for an answer of
anybody: a starter that dies after the rename leaves an attempt that runs or is provably stillborn.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Dict, Optional

from cloudtui_host import files, layout, locks, proc, status, supervisor
from cloudtui_host.errors import HostError, from_os
from cloudtui_host.spec import Spec, check

BUSY_S = 2.0
"""How long a starter waits for another one."""
_PREPARED = ".new-"
SPARE_BYTES = 1 << 20
"""A job is not started on a disk with less than this free."""


def start(root: str, job: Any, attempt: Any, raw_spec: Any) -> Dict[str, Any]:
    """Start attempt `attempt` of `job`, or tell how it stands where it was started before.

    Raises:
        HostError: malformed arguments; no_flock; disk_full; previous_alive (the newest attempt here still
            runs).
    """
    folder = layout.attempt_folder(root, job, attempt)
    spec = check(raw_spec)
    parent = os.path.dirname(folder)
    try:
        os.makedirs(parent, mode=0o700, exist_ok=True)
        lock = locks.acquire(os.path.join(parent, status.STARTER), BUSY_S)
    except OSError as error:
        raise from_os(error, "prepare the job's folder") from error
    if lock is None:
        return _while_busy(root, job, attempt)
    try:
        locks.prove(os.path.join(parent, status.STARTER))
        known = _known(root, job, attempt)
        if known is not None:
            return known
        _commit_and_fork(root, job, folder, spec)
    finally:
        os.close(lock)
    return status.read(root, job, attempt)


def _while_busy(root: str, job: str, attempt: int) -> Dict[str, Any]:
    found = status.read(root, job, attempt)
    return dict(found, state="busy") if found["state"] == "missing" else found


def _known(root: str, job: str, attempt: int) -> Optional[Dict[str, Any]]:
    """The answer where nothing is to be started; None where `attempt` may begin."""
    numbers = layout.attempts(root, job)
    top = numbers[-1] if numbers else 0
    if attempt <= top:
        return status.read(root, job, attempt)
    # Numbers may be left out: an attempt that ended before it got here was never of this host.
    if not top:
        return None
    before = status.read(root, job, top)["state"]
    if before in status.OVER:
        return None
    if before in ("starting", "ending"):
        # It is about to be over: whoever asks again soon gets an answer.
        return dict(status.read(root, job, attempt), state="busy")
    raise HostError(
        "previous_alive",
        "Attempt %d cannot start: attempt %d is %s." % (attempt, top, before),
        "Stop it first.",
    )


def _commit_and_fork(root: str, job: str, folder: str, spec: Spec) -> None:
    parent, name = os.path.split(folder)
    for left in os.listdir(parent):
        # Of a starter that died: it held the lock that is ours now.
        if left.startswith(_PREPARED):
            shutil.rmtree(os.path.join(parent, left), ignore_errors=True)
    prepared = os.path.join(parent, "%s%s-%d" % (_PREPARED, name, os.getpid()))
    try:
        alive = _prepare(root, prepared, spec)
    except OSError as error:
        shutil.rmtree(prepared, ignore_errors=True)
        raise from_os(error, "prepare the attempt") from error
    try:
        os.rename(prepared, folder)
        files.sync_folder(parent)
        _detach(root, job, folder, spec, alive)
    finally:
        os.close(alive)


def _prepare(root: str, folder: str, spec: Spec) -> int:
    """Fill the folder of a coming attempt; returns the descriptor that holds its lock."""
    os.mkdir(folder, 0o700)
    for name in ("journal", "artifacts", "checkpoints"):
        os.mkdir(os.path.join(folder, name), 0o700)
    if shutil.disk_usage(folder).free < SPARE_BYTES:
        raise HostError(
            "disk_full", "The host's disk is full.", "Free some space, or choose a root on another disk."
        )
    if spec.copy:
        _copy(root, spec.copy, os.path.join(folder, "work"))
    if spec.checkpoints:
        _copy(root, spec.checkpoints, os.path.join(folder, "checkpoints"))
    who = {"machine_id": proc.machine_id(), "boot_id": proc.boot_id(), "hostname": proc.hostname()}
    for name, obj in (("config", spec.config), ("spec", spec.public()), ("attempt", who)):
        files.write_new(os.path.join(folder, name + ".json"), files.to_json(obj))
    files.write_new(os.path.join(folder, layout.SOURCES["console"]), b"")
    if spec.setup:
        files.write_new(os.path.join(folder, "setup.sh"), supervisor.setup_script(spec.setup))
    files.reserve_exit(folder)
    alive = locks.acquire(os.path.join(folder, status.ALIVE), 0.0)
    if alive is None:
        raise HostError(
            "busy", "Another process holds the lock of an attempt that was not there yet.", "Try again."
        )
    files.sync_folder(folder)
    return alive


def _copy(root: str, source: str, target: str) -> None:
    """The job gets its own copy of what was sent: what it writes beside its files changes no other run."""
    path = os.path.join(root, source)
    if not os.path.isdir(path):
        raise HostError("not_here", "The job's files (%s) are not on this host." % source, "Send them again.")
    shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)


def _detach(root: str, job: str, folder: str, spec: Spec, alive: int) -> None:
    """Leave a supervisor behind that belongs to no session and no parent."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    status_code = 1
    try:
        os.setsid()
        if os.fork() == 0:
            supervisor.run(root, job, folder, spec, alive)
        status_code = 0
    finally:
        os._exit(status_code)
