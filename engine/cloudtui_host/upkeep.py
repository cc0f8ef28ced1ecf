"""What of ours lies below a root, how large it is, and its removal: a folder of a known shape at a time.

What may go is the engine's decision. What is refused here is refused whatever the engine believes: a name
that is none of ours, a way that leads over a link, an attempt that may live or is needed by one that does.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import time
from typing import Any, Dict, List, Optional

from cloudtui_host import files, layout, locks, status
from cloudtui_host.errors import HostError

KINDS = ("host", "trainer", "script", "model", "data", "env", "wheels")
"""The folders whose children are named by their content."""
PAGE = 4000
"""Entries of one reply."""
BUSY_S = 5.0
_CONTENT = re.compile(r"[0-9a-f]{8,64}")
_NAME = re.compile(r"(?:%s)/[0-9a-f]{8,64}|jobs/[a-z0-9][a-z0-9-]{0,63}/a[0-9]{4}" % "|".join(KINDS))
_GONE = ".gone-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_UNKNOWN = 50


def inventory(root: str, after: Any) -> Dict[str, Any]:
    """The folders of known shape behind `after`, in order, each with its size and age.

    Returns:
        `{"entries": [{"name", "size_bytes", "age_s", "state": of an attempt, else ""}], "unknown": [names at
        the top that are not ours], "next": null or the next `after`}`.
    """
    after = after if isinstance(after, str) else ""
    entries: List[Dict[str, Any]] = []
    for name in _names(root):
        if name <= after:
            continue
        if len(entries) >= PAGE:
            return {"entries": entries, "unknown": [], "next": entries[-1]["name"]}
        entry = _entry(root, name)
        if entry is not None:
            entries.append(entry)
    return {"entries": entries, "unknown": _unknown(root), "next": None}


def _names(root: str) -> List[str]:
    found = []
    for kind in KINDS:
        found += [
            "%s/%s" % (kind, name) for name in _listed(os.path.join(root, kind)) if _CONTENT.fullmatch(name)
        ]
    for job in layout.jobs(root):
        found += ["jobs/%s/a%04d" % (job, number) for number in layout.attempts(root, job)]
    return sorted(found)


def _listed(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _unknown(root: str) -> List[str]:
    ours = (*KINDS, "jobs", "switch")
    return sorted(repr(name)[1:-1] for name in _listed(root) if name not in ours)[:_MOST_UNKNOWN]


def _entry(root: str, name: str) -> Optional[Dict[str, Any]]:
    path = os.path.join(root, name)
    try:
        seen = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(seen.st_mode):
        return None
    state = ""
    if name.startswith("jobs/"):
        _, job, attempt = name.split("/")
        state = status.read(root, job, int(attempt[1:]))["state"]
    age = max(0.0, time.time() - seen.st_mtime)
    return {"name": name, "size_bytes": size_of(path), "age_s": age, "state": state}


def size_of(path: str) -> int:
    """The bytes of all regular files below; nothing is followed, what cannot be read counts nothing."""
    total = 0
    waiting = [path]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for one in found:
                    seen = one.stat(follow_symlinks=False)
                    if stat.S_ISDIR(seen.st_mode):
                        waiting.append(one.path)
                    elif stat.S_ISREG(seen.st_mode):
                        total += seen.st_size
        except OSError:
            continue
    return total


def remove(root: str, name: Any) -> Dict[str, Any]:
    """Remove one of the folders that `inventory` lists; gone already is gone.

    Returns:
        `{"removed": bool, "size_bytes": n}`.

    Raises:
        HostError: bad_path, the name or a folder on its way is not of a known shape; in_use, something
            that may live is there or needs it; busy, a starter holds the job.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise HostError("bad_path", "Not something that may be removed: %s." % repr(name)[:200])
    parts = name.split("/")
    if parts[0] != "jobs":
        _refuse_needed(root, name)
        return _remove(root, parts)
    parent = layout.job_folder(root, parts[1])
    if not os.path.isdir(parent):
        return {"removed": False, "size_bytes": 0}
    lock = locks.acquire(os.path.join(parent, status.STARTER), BUSY_S)
    if lock is None:
        raise HostError("busy", "A starter holds this job.", "Try again.")
    try:
        for number in layout.attempts(root, parts[1]):
            state = status.read(root, parts[1], number)["state"]
            if state not in status.OVER:
                raise HostError("in_use", "Attempt %d of the job is %s: all of it stays." % (number, state))
        _refuse_needed(root, name)
        return _remove(root, parts)
    finally:
        os.close(lock)


def _refuse_needed(root: str, name: str) -> None:
    """What a job that may live was started with stays."""
    for job, number, _state in status.living(root):
        spec = files.read_json(os.path.join(layout.attempt_folder(root, job, number), "spec.json"))
        # Its supervisor is of the host package, it does not say which.
        if spec is None or name.startswith("host/") or _mentions(spec, name):
            raise HostError("in_use", "Job %s needs %s: it stays." % (job, name))


def _mentions(value: Any, name: str) -> bool:
    if isinstance(value, str):
        return name in value
    if isinstance(value, dict):
        return any(_mentions(one, name) for one in value.values())
    return isinstance(value, list) and any(_mentions(one, name) for one in value)


def _remove(root: str, parts: List[str]) -> Dict[str, Any]:
    """Rename it away, which is the moment in which it goes, then delete what lies under the other name."""
    above = _open(root, parts[:-1])
    try:
        if above is None:
            return {"removed": False, "size_bytes": 0}
        _sweep(above, os.path.join(root, *parts[:-1]))
        try:
            seen = os.stat(parts[-1], dir_fd=above, follow_symlinks=False)
        except FileNotFoundError:
            return {"removed": False, "size_bytes": 0}
        if not stat.S_ISDIR(seen.st_mode):
            raise HostError("bad_path", "%s is no folder: it stays." % "/".join(parts))
        size = size_of(os.path.join(root, *parts))
        os.rename(parts[-1], _GONE + parts[-1], src_dir_fd=above, dst_dir_fd=above)
        os.fsync(above)
        shutil.rmtree(os.path.join(root, *parts[:-1], _GONE + parts[-1]))
        return {"removed": True, "size_bytes": size}
    finally:
        if above is not None:
            os.close(above)


def _open(root: str, parts: List[str]) -> Optional[int]:
    """The folder below the root, over no link; None where it is not there."""
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        try:
            following = os.open(part, _FOLDER, dir_fd=here)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise HostError(
                    "bad_path", "%s is a link, or no folder: what is in it stays." % part
                ) from None
            raise
        finally:
            os.close(here)
        here = following
    return here


def _sweep(above: int, folder: str) -> None:
    """Finish what a remover that was killed began."""
    for name in os.listdir(above):
        if name.startswith(_GONE):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
