"""What a host refuses, in words that the person at the laptop can act on."""

from __future__ import annotations

import errno
from typing import Dict


class HostError(Exception):
    """A request that cannot be carried out.

    Args:
        code: a word that programs compare.
        message: what went wrong and why, one sentence.
        hint: what to do about it, may be empty.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def as_dict(self) -> Dict[str, str]:
        """The `error` object of a reply."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


_KNOWN = {
    errno.ENOSPC: ("disk_full", "Free some space on the host, or choose a root on another disk."),
    errno.EDQUOT: (
        "disk_full",
        "Your quota on the host is used up: free some of it, or choose another root.",
    ),
    errno.EACCES: ("no_permission", "Choose a root that this user may write to."),
    errno.EPERM: ("no_permission", "Choose a root that this user may write to."),
    errno.EROFS: ("read_only", "The file system is mounted read-only: choose another root."),
    errno.EMFILE: ("too_many_files", "The host's limit of open files is reached: raise it with ulimit -n."),
    errno.EAGAIN: ("too_many_processes", "The host's limit of processes is reached: end some of them."),
    errno.ENOMEM: ("no_memory", "The host is out of memory: end some of its processes."),
    errno.ELOOP: ("bad_path", "A symbolic link stands where none may be."),
}


def from_os(error: OSError, doing: str) -> HostError:
    """The HostError of a failed system call while `doing` something."""
    code, hint = _KNOWN.get(error.errno or 0, ("os_error", ""))
    reason = error.strerror or str(error)
    where = " (%s)" % error.filename if isinstance(error.filename, str) else ""
    return HostError(code, "Could not %s: %s%s." % (doing, reason, where), hint)
