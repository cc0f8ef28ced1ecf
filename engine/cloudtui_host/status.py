"""How an attempt stands, judged from what is written down and who is alive. Nothing is signalled here."""

from __future__ import annotations

import os
import stat as stat_module
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

from cloudtui_host import files, layout, locks, proc
from cloudtui_host.errors import HostError

ALIVE = "alive.lock"
"""Held by supervisor and child from the attempt's first moment to the end of the last of them."""
ADOPT = "adopt.lock"
"""Held by the one process that took over from a killed supervisor."""
STARTER = "run.lock"
"""Held by a starter, in the job's folder."""

OVER = frozenset({"exited", "stillborn", "lost-killed", "lost-reboot"})
"""States after which the next attempt may start."""


class View(NamedTuple):
    """What an attempt's folder says."""

    folder: str
    attempt: Mapping[str, Any]
    supervisor: Optional[Mapping[str, Any]]
    child: Optional[Mapping[str, Any]]
    exit: Optional[Mapping[str, Any]]


def view(folder: str) -> View:
    """Read an attempt's folder; what is missing or torn reads as absent."""

    def read(name: str) -> Optional[Dict[str, Any]]:
        return files.read_json(os.path.join(folder, name))

    return View(
        folder, read("attempt.json") or {}, read("supervisor.json"), read("child.json"), read("exit.json")
    )


def _beside_lock(seen: View) -> str:
    """The state while the attempt's lock is held by someone."""
    child, guarded = proc.alive(seen.child), proc.alive(seen.supervisor)
    if child:
        return "running" if guarded or seen.supervisor is None else "orphan-running"
    if seen.child is None:
        # A starter, supervisor or shim that has not got further yet: the lock passes from one to the next.
        return "starting"
    if guarded or locks.held(os.path.join(seen.folder, ADOPT)):
        return "ending"
    # Only something that the job left behind still has the lock.
    return _lost(seen, "lost-killed")


def _without_lock(seen: View) -> str:
    """The state when neither supervisor nor child can be alive."""
    if seen.child is None:
        job_lock = os.path.join(os.path.dirname(seen.folder), STARTER)
        return "starting" if not seen.attempt and locks.held(job_lock) else "stillborn"
    if proc.alive(seen.child):
        # Its descriptor of the lock was closed by the job itself; the process is what counts.
        return "running" if proc.alive(seen.supervisor) else "orphan-running"
    if locks.held(os.path.join(seen.folder, ADOPT)):
        return "ending"
    boot = seen.attempt.get("boot_id") or seen.child.get("boot_id")
    return _lost(seen, "lost-reboot" if boot != proc.boot_id() else "lost-killed")


def _lost(seen: View, state: str) -> str:
    """`state`, unless there is a record of the end by now.

    Supervisor and adopter write it while they are seen alive, and may have done so after `seen` was read:
    only what is read once they are known to be gone tells that there is none.
    """
    return "exited" if _exit_of(seen.folder) is not None else state


def judge(folder: str) -> str:
    """The state of an attempt whose folder exists."""
    # The lock first: what is read after it was found free is the last word.
    held = locks.held(os.path.join(folder, ALIVE))
    seen = view(folder)
    if seen.exit is not None:
        return "exited"
    machine = seen.attempt.get("machine_id")
    if machine is not None and machine != proc.machine_id():
        return "elsewhere"
    return _beside_lock(seen) if held else _without_lock(seen)


def _exit_of(folder: str) -> Optional[Dict[str, Any]]:
    return files.read_json(os.path.join(folder, "exit.json"))


def _size(path: str) -> int:
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return found.st_size if stat_module.S_ISREG(found.st_mode) else 0


def _require_root(root: str) -> None:
    """Refuse to speak of attempts where none can be seen: with its disk not mounted a root looks empty."""
    folder = os.path.join(root, "jobs")
    if not _is_folder(folder):
        raise HostError(
            "root_gone",
            "The host has no folder %s, so how its jobs stand cannot be known." % folder,
            "Is the disk of %s mounted? If the folder was removed on purpose, its runs are gone with it."
            % root,
        )


def _is_folder(path: str) -> bool:
    """Whether a folder is there; where that cannot be seen (a stale mount, no permission), OSError."""
    try:
        return stat_module.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _missing(job: str, attempt: int) -> Dict[str, Any]:
    return {
        "job": job,
        "attempt": attempt,
        "state": "missing",
        "exit": None,
        "sources": dict.fromkeys(layout.SOURCES, 0),
        "pid": None,
        "machine_id": proc.machine_id(),
    }


def read(root: str, job: Any, attempt: Any = None) -> Dict[str, Any]:
    """The attempt status of the wire; `attempt` None means the newest.

    Raises:
        HostError: `job` or `attempt` is malformed; root_gone, the root holds no jobs at all.
        OSError: the file system does not say what is there.
    """
    layout.job_folder(root, job)
    # Before the attempt is looked for: a disk that is mounted in between must not make it missing.
    _require_root(root)
    if attempt is None:
        numbers = layout.attempts(root, job)
        attempt = numbers[-1] if numbers else 1
    folder = layout.attempt_folder(root, job, attempt)
    if not _is_folder(folder):
        return _missing(job, attempt)
    state = judge(folder)
    seen = view(folder)
    # Sizes after the judgement: once it says that nothing more is written, they are final.
    sizes = {name: _size(os.path.join(folder, path)) for name, path in layout.SOURCES.items()}
    ended = _exit_of(folder) if state == "exited" else None
    return {
        "job": job,
        "attempt": attempt,
        "state": state,
        "exit": ended and {key: ended.get(key) for key in ("code", "signal", "reason", "kind", "t")},
        "sources": sizes,
        "pid": (seen.child or {}).get("pid"),
        "machine_id": seen.attempt.get("machine_id") or proc.machine_id(),
    }


def living(root: str) -> Iterator[Tuple[str, int, str]]:
    """(job, attempt, state) of all attempts that may live.

    One that is `elsewhere` is another machine's, on a home that they share.
    """
    for job in layout.jobs(root):
        for number in layout.attempts(root, job):
            state = read(root, job, number)["state"]
            if state not in OVER:
                yield job, number, state
