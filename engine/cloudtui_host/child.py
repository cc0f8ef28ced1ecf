"""The job's process, seen by the one who guards it: its parent, or an adopter."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, List, Mapping, Optional

from cloudtui_host import proc


def _signal_each(pids: List[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


class OwnChild:
    """A child of this very process. Until `reap` it stays a zombie: its pid is no one else's."""

    tells = True

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended: Optional[Dict[str, Any]] = None

    def ended(self) -> Optional[Dict[str, Any]]:
        """The code or signal that it ended with; None while it lives."""
        if self._ended is None:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is not None:
                killed = found.si_code != os.CLD_EXITED
                self._ended = {
                    "code": None if killed else found.si_status,
                    "signal": found.si_status if killed else None,
                }
        return self._ended

    def signal(self, number: int) -> None:
        """Signal it and its group, once: a second signal may kill it while it ends by the first."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            # Before its setsid it has no group of its own.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def left(self) -> List[int]:
        """Living processes of its group."""
        return [pid for pid in proc.group(self.pid) if pid != self.pid]

    def signal_left(self, number: int) -> None:
        """Signal what it left in its group."""
        _signal_each(self.left(), number)

    def reap(self) -> None:
        """Let go of the zombie."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class Orphan:
    """A job whose supervisor was killed. It is signalled only while it is provably itself."""

    tells = False

    def __init__(self, who: Mapping[str, Any], folder: str) -> None:
        self.who = who
        self.pid = int(who["pid"])
        self._folder = folder

    def ended(self) -> Optional[Dict[str, Any]]:
        """Nothing but that it ended can be known of it."""
        return None if proc.alive(self.who) else {"code": None, "signal": None}

    def signal(self, number: int) -> None:
        """Signal it and its group."""
        if not proc.alive(self.who):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def left(self) -> List[int]:
        """Living processes of its group that bear the attempt's mark in their environment."""
        members = proc.group(self.pid)
        return [
            pid
            for pid in members
            if pid != self.pid and proc.environment_has(pid, "CLOUDTUI_ATTEMPT", self._folder)
        ]

    def signal_left(self, number: int) -> None:
        """Signal what it left in its group."""
        _signal_each(self.left(), number)

    def reap(self) -> None:
        """It is no child of ours."""
