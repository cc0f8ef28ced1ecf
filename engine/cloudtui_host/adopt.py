"""Takes over a job whose supervisor was killed: its stop, its samples, its artifacts, the record of its end.

The exit code of a process that is not ours cannot be had; everything else can.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any, Dict

from cloudtui_host import detached, entry, files, locks, proc, status
from cloudtui_host.child import Orphan
from cloudtui_host.guard import Guard

REASON = "supervisor was killed; exit code unknown"


def send(root: str, folder: str) -> None:
    """Have an adopter for the attempt; where there is one already, the new one sees it and ends."""
    subprocess.run(
        entry.command("adopt", "main", root, folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
        timeout=30,
    )


def main(root: str, folder: str) -> None:
    """Detach, and adopt; returns in the process that was started, so that nobody waits for the job."""
    if os.fork():
        return
    code = 1
    try:
        os.setsid()
        if os.fork() == 0:
            detached.stand_alone([], os.path.join(folder, "supervisor.log"))
            adopt(root, folder)
        code = 0
    finally:
        os._exit(code)


def adopt(root: str, folder: str) -> bool:
    """Guard an orphan to its end; False where there is none, or another one does it."""
    lock = locks.acquire(os.path.join(folder, status.ADOPT), 0.5)
    if lock is None:
        return False
    try:
        if status.judge(folder) != "orphan-running":
            return False
        child = files.read_json(os.path.join(folder, "child.json")) or {}
        os.chdir(folder)
        wanted = files.read_json(os.path.join(folder, "spec.json")) or {}
        guard = Guard(
            root,
            folder,
            Orphan(child, folder),
            _seconds(wanted, "grace_s", 30),
            _seconds(wanted, "sample_s", 5),
            str(wanted.get("taken_by") or ""),
        )
        files.write_json(os.path.join(folder, "adopter.json"), proc.identity(os.getpid()))
        ended = guard.until_end()
        guard.finish(
            {
                "code": None,
                "signal": None,
                "kind": "unknown",
                "reason": REASON,
                "stopped": guard.stopping,
                **ended,
            }
        )
    finally:
        os.close(lock)
    return True


def _seconds(wanted: Dict[str, Any], key: str, default: float) -> float:
    value = wanted.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.05 <= value <= 86400:
        return default
    return float(value)
