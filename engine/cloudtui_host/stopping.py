"""The request that a job ends."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Any, Dict

from cloudtui_host import adopt, files, guard, layout, proc, status
from cloudtui_host.spec import grace

_HEEDED = ("starting", "running", "orphan-running", "ending", "elsewhere")


def stop(root: str, job: Any, attempt: Any, grace_s: Any = None, why: str = "") -> Dict[str, Any]:
    """Ask an attempt to end, and see that someone lives who carries it out; returns at once.

    Where it is over already, or was never there, nothing is done. `why` is a key of `guard.REASONS`.
    """
    folder = layout.attempt_folder(root, job, attempt)
    seconds = grace(grace_s)
    found = status.read(root, job, attempt)
    if found["state"] not in _HEEDED:
        return found
    try:
        files.write_json(os.path.join(folder, guard.STOP), {"grace_s": seconds, "t": time.time(), "why": why})
    except OSError:
        # A full disk must not keep a job running. The supervisor takes this for a request, too.
        _signal_guard(folder)
    if found["state"] == "orphan-running":
        adopt.send(root, folder)
    return status.read(root, job, attempt)


def _signal_guard(folder: str) -> None:
    for name in ("supervisor.json", "adopter.json"):
        who = files.read_json(os.path.join(folder, name))
        if who is not None and proc.alive(who):
            with contextlib.suppress(OSError):
                os.kill(int(who["pid"]), signal.SIGTERM)
