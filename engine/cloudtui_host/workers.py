"""Verbs that run beside the control lane, each in its own process and session."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from typing import Any, BinaryIO, Deque, Dict, Iterable, List, NamedTuple, Set, cast

from cloudtui_host import entry, files, verbs
from cloudtui_host.errors import HostError, from_os

MOST = 8
"""Verbs at work at the same time; more wait their turn."""
LONGEST_ANSWER = 3 * 1024 * 1024
DEADLINE_S = 60.0


class _Asked(NamedTuple):
    number: Any
    verb: str
    args: Dict[str, Any]


class _Worker:
    """A verb at work. Its death harms no one else, nor does ours harm it."""

    def __init__(self, root: str, asked: _Asked) -> None:
        self.asked = asked
        self.deadline = time.monotonic() + verbs.DEADLINE_S.get(asked.verb, DEADLINE_S)
        self.out = bytearray()
        self.eof = False
        self.errors: BinaryIO = files.nameless()
        with files.nameless() as arguments:
            arguments.write(json.dumps(asked.args).encode())
            arguments.seek(0)
            self.process = subprocess.Popen(
                entry.command("verbs", "main", asked.verb, root),
                stdin=arguments,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                start_new_session=True,
            )
        self.descriptor = cast(BinaryIO, self.process.stdout).fileno()  # a pipe was asked for
        os.set_blocking(self.descriptor, False)

    def read(self) -> None:
        """Take what it has said so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                chunk = os.read(self.descriptor, 65536)
                if not chunk:
                    self.eof = True
                    return
                self.out += chunk[: LONGEST_ANSWER + 1 - len(self.out)]

    def kill(self) -> None:
        """End it and what it has started in its own group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def answer(self) -> Dict[str, Any]:
        """The reply to the request."""
        try:
            said = json.loads(self.out)
        except ValueError:
            said = {"error": self._failure().as_dict()}
        if "result" in said:
            return {"id": self.asked.number, "ok": True, "result": said["result"]}
        return {"id": self.asked.number, "ok": False, "error": said["error"]}

    def _failure(self) -> HostError:
        verb = self.asked.verb
        if time.monotonic() >= self.deadline:
            return HostError(
                "timed_out", "The host did not finish %s in time." % verb, "Is its disk or driver stuck?"
            )
        if len(self.out) > LONGEST_ANSWER:
            return HostError("too_long", "The host's answer to %s is too long to send." % verb)
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - 2000))
        last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        return HostError(
            "host_failed", "The host could not carry out %s: %s" % (verb, "".join(last) or "it was killed")
        )

    def close(self) -> None:
        """Let go of its files."""
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.close()


class Workers:
    """All verbs at work in a session.

    Args:
        root: the root on this host.
        selector: where their output is waited for.
    """

    def __init__(self, root: str, selector: selectors.BaseSelector) -> None:
        self._root = root
        self._selector = selector
        self._working: Dict[int, _Worker] = {}
        self._waiting: Deque[_Asked] = collections.deque()
        self._ended: List[_Worker] = []
        self._failed: List[Dict[str, Any]] = []
        self._adopting: Set[str] = set()

    def submit(self, number: Any, verb: str, args: Dict[str, Any]) -> None:
        """Have a verb carried out; `finished` gives its reply. `number` None wants none, once at a time."""
        if number is None:
            mark = json.dumps([verb, args], sort_keys=True)
            if mark in self._adopting:
                return
            self._adopting.add(mark)
        self._waiting.append(_Asked(number, verb, args))
        self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._working) < MOST:
            asked = self._waiting.popleft()
            try:
                worker = _Worker(self._root, asked)
            except OSError as error:
                failed = from_os(error, "begin %s" % asked.verb).as_dict()
                self._failed.append({"id": asked.number, "ok": False, "error": failed})
                continue
            self._working[worker.descriptor] = worker
            self._selector.register(worker.descriptor, selectors.EVENT_READ)

    def finished(self, ready: Iterable[int]) -> List[Dict[str, Any]]:
        """The replies that are there by now; `ready` are the descriptors that have something to read."""
        replies, self._failed = self._failed, []
        ready = set(ready)
        now = time.monotonic()
        for descriptor, worker in list(self._working.items()):
            if descriptor in ready:
                worker.read()
            late = now >= worker.deadline
            if late:
                worker.kill()
            if worker.eof or late:
                self._selector.unregister(descriptor)
                del self._working[descriptor]
                replies.append(worker.answer())
                worker.close()
                self._ended.append(worker)
        self._ended = [worker for worker in self._ended if worker.process.poll() is None]
        for reply in replies:
            if reply["id"] is None:
                self._adopting.clear()
        self._begin()
        return [reply for reply in replies if reply["id"] is not None]
