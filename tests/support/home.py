"""A cloudtui home driven from outside, as a script would: real processes, the documented commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine import lock
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.operations import log_tail
from cloudtui_engine.paths import Paths


def wait_until(condition: Callable[[], Any], timeout: float = 30.0, what: str = "") -> Any:
    """The first true value of `condition`; fails after `timeout` seconds.

    A look that starts a process takes most of a core: between two looks it rests twice as long as one took.
    """
    deadline = time.monotonic() + timeout
    while True:
        begin = time.monotonic()
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what or condition}")
        time.sleep(max(0.02, 2 * (time.monotonic() - begin)))


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


class Home:
    """One home; `close` ends its engine."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.paths = Paths(folder)
        self.env = {
            **os.environ,
            "CLOUDTUI_HOME": str(folder),
            "CLOUDTUI_ENGINE_IDLE_S": "30",
            "HOME": str(folder.parent),
            **(env or {}),
        }
        self.env.pop("SSH_AUTH_SOCK", None)

    def popen(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """A command, begun."""
        options = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "stdin": subprocess.DEVNULL,
        } | options
        return subprocess.Popen(
            [sys.executable, "-m", "cloudtui", *words], env=self.env, text=True, **options
        )

    def run(self, *words: str, timeout: float = 120.0, **options: Any) -> Answer:
        """A command, waited for."""
        with self.popen(*words, **options) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                raise AssertionError(f"{words} took over {timeout} s\n{out}\n{err}\n{self.log()}") from None
        return Answer(process.returncode, out, err)

    def json(self, *words: str, timeout: float = 120.0) -> Any:
        """The JSON of a command that must succeed."""
        answer = self.run("--json", *words, timeout=timeout)
        assert answer.status == 0, f"{words}: {answer.status}\n{answer.out}\n{answer.err}\n{self.log()}"
        return answer.json

    def catalog(self) -> Catalog:
        """The catalog, for looking at what no command shows."""
        return Catalog.open(self.paths)

    def engine_pid(self) -> int | None:
        """The living engine's process id."""
        if not self.paths.catalog.exists() or not lock.is_held(self.paths):
            return None
        newest = self.catalog().engine_sessions.recent(1)
        return newest[0].pid if newest and newest[0].ended_at is None else None

    def kill_engine(self) -> bool:
        """`kill -9` of the engine, waited for."""
        pid = self.engine_pid()
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        wait_until(
            lambda: not lock.is_held(self.paths) or self.engine_pid() not in {pid}, 10, "the engine's end"
        )
        return True

    def log(self) -> str:
        """The end of the engine's log, for a failure's message."""
        return log_tail(self.paths, 40)

    def close(self) -> None:
        """End the engine; jobs go on."""
        for _ in range(3):
            if not self.kill_engine():
                return
