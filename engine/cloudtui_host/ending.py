"""What the switch calls before it ends the machine: jobs are told and save themselves, quiet is measured.

It runs as the user whose jobs they are, and knows of the machine's end no more than it is told.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict, Optional, Tuple

from cloudtui_host import activity, files, guard, idle, layout, status, stopping
from cloudtui_host.errors import HostError

OVER = 10
"""The exit status of `look` once the machine was quiet for long enough."""
FOLDER = "switch"
"""Of the root: what was seen, and on machines that were armed later the switch itself."""
LEAVE_S = 20.0
"""What the machine keeps for its own end of the time that jobs get to save themselves."""


def main(what: str, root: str, seconds: str) -> None:
    """`warn` and `stop` with the seconds that are left, `look` with those of quiet that end the machine."""
    os.umask(0o077)
    if what == "warn":
        warn(root, float(seconds))
    elif what == "stop":
        stop(root, float(seconds))
    elif what == "look":
        sys.exit(OVER if is_quiet(root, float(seconds)) else 0)


def warn(root: str, left_s: float) -> None:
    """Have an event written into the journal of every job that lives: so the laptop hears of it, too."""
    text = (
        "This machine ends in %d minutes, whatever runs on it. Before that this job is asked to save itself"
        " and stop; it can be resumed elsewhere." % max(1, round(left_s / 60))
    )
    event = {"name": "deadline", "data": {"left_s": left_s, "text": text, "level": "warning"}}

    def tell(job: str, number: int) -> None:
        files.write_json(os.path.join(layout.attempt_folder(root, job, number), guard.TOLD), event)

    _each(root, tell)


def stop(root: str, left_s: float) -> None:
    """Ask every job that lives to save itself and end while there is time."""
    grace_s = max(5.0, left_s - LEAVE_S)

    def ask(job: str, number: int) -> None:
        stopping.stop(root, job, number, grace_s, why="deadline")

    _each(root, ask)


def _each(root: str, do: Callable[[str, int], None]) -> None:
    for job, number, state in status.living(root):
        if state == "elsewhere":
            continue
        try:
            do(job, number)
        except (OSError, HostError) as error:
            # The next job is asked all the same.
            sys.stderr.write("cloudtui: %s: %s\n" % (job, error))


def is_quiet(root: str, idle_s: float) -> bool:
    """Look once more; whether nothing was done here for `idle_s`."""
    path = os.path.join(root, FOLDER, "quiet.json")
    seen = idle.look(_kept(path), activity.read(root), idle_s)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    files.write_json(path, {"since": seen.since, "why": seen.why, "last": seen.last.as_dict()})
    return idle.is_over(seen, idle_s)


def _kept(path: str) -> Optional[idle.Quiet]:
    kept: Dict[str, Any] = files.read_json(path) or {}
    last = idle.sample_of(kept.get("last") or {})
    since = kept.get("since")
    return None if last is None else idle.Quiet(since if isinstance(since, float) else None, "", last)


def quiet_for(root: str) -> Tuple[Optional[float], str]:
    """How long nothing was done as of the last look, and else what was."""
    path = os.path.join(root, FOLDER, "quiet.json")
    kept: Dict[str, Any] = files.read_json(path) or {}
    seen = _kept(path)
    if seen is None:
        return None, ""
    return (None if seen.since is None else seen.last.t - seen.since), str(kept.get("why") or "")
