"""Who a process is: a pid alone is a number that is used again."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from cloudtui_host import files


class Stat(NamedTuple):
    """What /proc tells of a process."""

    state: str
    group: int
    cpu_ticks: int
    start_time: int
    rss_pages: int


@functools.lru_cache(maxsize=1)
def boot_id() -> str:
    """This boot of this kernel."""
    return files.text("/proc/sys/kernel/random/boot_id") or "unknown"


@functools.lru_cache(maxsize=1)
def machine_id() -> str:
    """This machine, as far as a shared home has to tell machines apart.

    Nodes that boot one image share /etc/machine-id, containers have none: the host name is part of it.
    """
    base = files.text("/etc/machine-id") or files.text("/var/lib/dbus/machine-id")
    return hashlib.sha256(("%s\n%s" % (base, hostname())).encode()).hexdigest()[:32]


def hostname() -> str:
    """The name that this machine gives itself."""
    return socket.gethostname()


def parse_stat(text: str) -> Optional[Stat]:
    """The parts of a line of /proc/PID/stat that matter here; None where it is no such line."""
    # The command stands in parentheses and may hold spaces and parentheses itself.
    _, bracket, rest = text.rpartition(")")
    parts = rest.split()
    if not bracket or len(parts) < 22:
        return None
    try:
        return Stat(parts[0], int(parts[2]), int(parts[11]) + int(parts[12]), int(parts[19]), int(parts[21]))
    except ValueError:
        return None


def stat(pid: int) -> Optional[Stat]:
    """What /proc tells of `pid`, or None where there is no such process."""
    return parse_stat(files.text("/proc/%d/stat" % pid, most=4096))


def identity(pid: int) -> Dict[str, Any]:
    """What is written down of a process so that it is known again."""
    found = stat(pid)
    return {"pid": pid, "start_time": found.start_time if found else 0, "boot_id": boot_id()}


def alive(who: Optional[Mapping[str, Any]]) -> bool:
    """Whether the very process that `who` was written for runs. A zombie does not."""
    if not who or who.get("boot_id") != boot_id():
        return False
    pid = who.get("pid")
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 1:
        return False
    found = stat(pid)
    return found is not None and found.state not in "ZX" and found.start_time == who.get("start_time")


def pids() -> List[int]:
    """All processes that this user can see."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def group(pgid: int) -> Dict[int, Stat]:
    """The living processes of a process group."""
    members = {}
    for pid in pids():
        found = stat(pid)
        if found and found.group == pgid and found.state not in "ZX":
            members[pid] = found
    return members


def environment_has(pid: int, name: str, value: str) -> bool:
    """Whether a process was started with `name` set to `value`; False where that cannot be seen."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as handle:
            return ("%s=%s" % (name, value)).encode() in handle.read(1 << 20).split(b"\0")
    except OSError:
        return False
