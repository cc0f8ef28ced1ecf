"""The books of a toy cloud: one JSON file below a lock, the same for every process that opens it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.support.clouds.faults import Fault


class ToyFault(StrEnum):
    """What only the toy cloud can do to its caller."""

    SLOW = "slow"
    """The call takes `slow_s` of the settings."""
    DIE_BEFORE = "die_before"
    """SIGKILL to the calling process, before anything is done."""
    DIE_AFTER = "die_after"
    """The same when it is done, before the answer."""


Books = dict[str, Any]
EMPTY: Books = {"machines": {}, "faults": [], "calls": [], "next": 1, "settings": {}, "taken": []}
SETTINGS = {"slow_s": 0.2, "late_looks": 2, "address": "127.0.0.1", "port": 22, "user": "toy"}
"""What `ToyBooks.set` changes."""


class ToyBooks:
    """What the cloud knows. Every change is whole or not there, whoever is killed.

    Args:
        folder: for `cloud.json` and its lock; made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "cloud.json"
        self._lock = folder / "lock"

    @contextmanager
    def open(self) -> Iterator[Books]:
        """Alone with the books; what is changed in them is kept, unless the block raises."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            books: Books = (
                json.loads(self._file.read_text()) if self._file.exists() else json.loads(json.dumps(EMPTY))
            )
            books["settings"] = SETTINGS | books["settings"]
            before = json.dumps(books)
            yield books
            after = json.dumps(books)
            if after != before:
                new = self._file.with_suffix(".new")
                new.write_text(after)
                new.replace(self._file)

    def set(self, **settings: Any) -> None:
        """See `SETTINGS`."""
        assert settings.keys() <= SETTINGS.keys(), settings
        with self.open() as books:
            books["settings"] |= settings

    def fail(self, fault: Fault | ToyFault, on: str = "launch", times: int = 1, *, where: str = "") -> None:
        """Of the next `times` calls of `on` (`*`: of all, until `heal`), in that region, zone or type."""
        with self.open() as books:
            books["faults"].append({"fault": fault, "on": on, "times": times, "where": where})

    def heal(self) -> None:
        """No faults any more."""
        with self.open() as books:
            books["faults"] = []

    def calls(self, method: str) -> int:
        """How often it was called and arrived."""
        with self.open() as books:
            return int(books["calls"].count(method))

    def due(self, method: str, *where: str) -> str:
        """The fault of this call, which is used up by it; empty: none. Counts the call."""
        with self.open() as books:
            found = next((one for one in books["faults"] if _meets(one, method, where)), None)
            if found and found["on"] != "*":
                found["times"] -= 1
                books["faults"] = [one for one in books["faults"] if one["times"] > 0]
            fault = str(found["fault"]) if found else ""
            slow_s = books["settings"]["slow_s"]
            if fault != Fault.UNREACHABLE:
                books["calls"].append(method)
        if fault == ToyFault.SLOW:
            time.sleep(slow_s)
        if fault == ToyFault.DIE_BEFORE:
            die()
        return fault


def die() -> None:
    """As a power cut ends this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def _meets(fault: dict[str, Any], method: str, where: tuple[str, ...]) -> bool:
    return fault["on"] in {"*", method} and (not fault["where"] or fault["where"] in where)
