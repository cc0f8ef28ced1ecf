"""Watches over a job until its end: samples, the stop request, the artifacts, the exit record.

The same for the supervisor, whose child the job is, and for the adopter of a job whose supervisor was killed.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import Any, Dict, Mapping, Optional, Protocol

from cloudtui_host import artifacts, files, notice, sample, watch

STOP = "stop"
TOLD = "told.json"
"""An event `{"name", "data"}` that someone else on this machine wants written into the journal."""
REASONS = {
    "deadline": "Stopped: the time of its machine was used up.",
    "preempted": "Stopped: its cloud takes the machine back.",
}
"""Why a job is asked to end, where it was nobody's request."""
TICK_S = 0.1
LOOK_S = 1.0
"""A stop file that another machine of a shared home wrote is found by looking."""
LEFT_GRACE_S = 5.0
"""How long what a job left in its process group may take to end after it."""


class Child(Protocol):
    """The job's process."""

    pid: int
    tells: bool
    """Whether its end is a signal to us."""

    def ended(self) -> Optional[Dict[str, Any]]:
        """How it ended; None while it lives."""

    def signal(self, number: int) -> None:
        """Signal its group."""

    def left(self) -> Any:
        """What lives of its group after it."""

    def signal_left(self, number: int) -> None:
        """Signal those."""

    def reap(self) -> None:
        """Let go of it."""


class Guard:
    """One job under watch.

    Args:
        root: the root, whose disk is sampled.
        folder: the attempt's folder.
        child: the job's process.
        grace_s: between asking and ending where a stop request names no other.
        sample_s: seconds between two samples.
        taken_by: the cloud that may take this machine back, and tells it so; empty: none.
    """

    def __init__(  # noqa: PLR0917 - what a job is started with, in the order of its spec
        self, root: str, folder: str, child: Child, grace_s: float, sample_s: float, taken_by: str = ""
    ) -> None:
        self.folder = folder
        self.child = child
        self.grace_s = grace_s
        self.sampler = sample.Sampler(root, folder, child.pid, sample_s)
        self.stopping = False
        self.reason = ""
        """Why, where it is one of `REASONS`."""
        self._asked = False
        self._by_signal = False
        """It was asked to stop by a signal alone: by us with a full disk, or by a system that goes down."""
        self._kill_at = float("inf")
        self._notice = notice.Watch(taken_by)
        self._told = False
        self._watcher = watch.Watcher()
        self._watch = self._watcher.add(folder, watch.FOLDER)
        self._wake, wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, self._on_term)
        for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)

    def _on_term(self, _number: int, _frame: Any) -> None:
        self._asked = True

    def until_end(self) -> Dict[str, Any]:
        """Wait for the job's end, ending it where that is asked for; then end what it left behind."""
        self.sampler.start()
        self._notice.start()
        next_look = 0.0
        while True:
            now = time.monotonic()
            ended = self.child.ended()
            if ended is not None:
                break
            if now >= next_look or self._asked or self._changed():
                next_look = now + LOOK_S
                self._look_for_stop(now)
                self._take_told()
                self._heed_notice(now)
                self.sampler.look_at_console()
            if now >= self._kill_at:
                self.child.signal(signal.SIGKILL)
                self._kill_at = now + 1.0
            self._wait(min(next_look, self._kill_at) - now)
        if ended["code"] != 0:
            # Where a system goes down its jobs may hear of it before we have asked its cloud.
            self._notice.last_look()
            self._heed_notice(now)
        self._notice.close()
        self._end_what_is_left()
        return ended

    def _changed(self) -> bool:
        return bool(self._watcher.changed())

    def _wait(self, seconds: float) -> None:
        # An orphan's end is no signal to us, and without inotify neither is the stop file.
        quick = self._watch < 0 or not self.child.tells
        seconds = max(0.0, min(seconds, TICK_S if quick else LOOK_S))
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        if self._watcher.descriptor >= 0:
            poller.register(self._watcher.descriptor, select.POLLIN)
        poller.poll(seconds * 1000)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)

    def _look_for_stop(self, now: float) -> None:
        path = os.path.join(self.folder, STOP)
        if not self._asked and not os.path.exists(path):
            return
        self._asked = False
        asked = files.read_json(path)
        if asked is None and not self.stopping:
            self._by_signal = True
        asked = asked or {}
        grace = _grace_of(asked, self.grace_s)
        if not self.stopping:
            self.stopping = True
            self.reason = REASONS.get(str(asked.get("why")), "")
            self.child.signal(signal.SIGTERM)
        # A later request can only shorten the grace.
        self._kill_at = min(self._kill_at, now + grace)

    def _take_told(self) -> None:
        path = os.path.join(self.folder, TOLD)
        if not os.path.exists(path):
            return
        said = files.read_json(path) or {}
        with contextlib.suppress(OSError):
            os.unlink(path)
        if isinstance(said.get("name"), str) and isinstance(said.get("data"), dict):
            self.sampler.event(said["name"], said["data"])

    def _heed_notice(self, now: float) -> None:
        """The cloud takes this machine back: say so, and have the job save itself while there is time."""
        seen = self._notice.seen
        if seen is None or self._told:
            return
        self._told = True
        text = (
            "The cloud takes this machine back in %d seconds. This job is asked to save itself and stop; it"
            " is resumed elsewhere." % max(1, round(seen.left_s))
        )
        self.sampler.event(notice.EVENT, {"left_s": seen.left_s, "text": text, "level": "warning"})
        if not self.stopping or self._by_signal:
            self.reason = REASONS["preempted"]
        if not self.stopping:
            self.stopping = True
            self.child.signal(signal.SIGTERM)
        self._kill_at = min(self._kill_at, now + seen.grace_s)

    def _end_what_is_left(self) -> None:
        if not self.child.left():
            return
        self.child.signal_left(signal.SIGTERM)
        deadline = time.monotonic() + min(LEFT_GRACE_S, self.grace_s)
        while self.child.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.child.signal_left(signal.SIGKILL)

    def finish(self, verdict: Mapping[str, Any]) -> None:
        """Record the artifacts, then the end; the end is the last thing that is written."""
        writer = self.sampler.close()
        try:
            artifacts.record(self.folder, writer)
        finally:
            files.write_exit(self.folder, dict(verdict, t=time.time()))
            self.child.reap()
            if writer is not None:
                with contextlib.suppress(OSError):
                    writer.close()


def _grace_of(request: Mapping[str, Any], default: float) -> float:
    value = request.get("grace_s", default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 86400:
        return default
    return float(value)
