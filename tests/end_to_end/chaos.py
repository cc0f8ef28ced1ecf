"""One run on a real sshd while everything around it is killed at random, and the account of it afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.home import Home, wait_until
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd

LIVE = {"queued", "staging", "starting", "running"}
JOB = Path(__file__).with_name("job_that_counts.py")


@dataclass
class Account:
    """What happened, to be printed."""

    lines: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    checks: int = 0

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kills.items()))
        return (
            f"{self.lines:,} lines, {sum(self.kills.values())} kills ({kinds}), {self.attempts} trainers,"
            f" run show asked {self.checks} times: all true"
        )


class Chaos:
    """A home, a host behind a proxy, and one counting run on it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.account = Account()
        self.folder = folder
        self.sshd = Sshd(folder / "host").start()
        self.proxy = Proxy((self.sshd.address, self.sshd.port))
        self.home = Home(folder / "laptop" / "home")
        self.starts = folder / "starts.txt"
        (folder / "script").mkdir()
        (folder / "script" / "job.py").write_text(JOB.read_text())
        self.run_id = ""
        self._bystanders: list[subprocess.Popen[Any]] = []

    def close(self) -> None:
        """End all that was begun here."""
        for process in self._bystanders:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        self.home.close()
        self.proxy.close()
        self.sshd.stop()
        for line in self._trainers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)

    # -- the run

    def add_host(self) -> None:
        """The host becomes the instance `box`."""
        self.home.json(
            "instance", "add", "box", "--ssh", f"{self.sshd.user}@{self.proxy.address}:{self.proxy.port}",
            "--key", str(self.sshd.user_key), "--root", str(self.sshd.root),
            "--accept-host-key", self.sshd.fingerprint,
        )  # fmt: skip

    def start(self, lines: int, rate: float) -> str:
        """A run that writes `lines` records at about `rate` a second."""
        run = self.home.json(
            "run", "script", "--on", "box", "--dir", str(self.folder / "script"), "--",
            sys.executable, "job.py", str(lines), str(rate), str(self.starts),
        )  # fmt: skip
        self.account.lines += lines
        return str(run["id"])

    def _trainers(self) -> list[str]:
        return self.starts.read_text().splitlines() if self.starts.exists() else []

    def child_alive(self) -> bool:
        """Whether the job's own process lives, by what the kernel says."""
        return any(Path(f"/proc/{line.split()[0]}").exists() for line in self._trainers())

    # -- the faults

    def kill_engine(self) -> None:
        """The engine, in whatever it is doing; a command brings the next one."""
        if self.home.kill_engine():
            self.account.kills["engine"] += 1
        # `run sync` is for scripts: the next engine comes up and goes on.
        self._bystanders.append(
            self.home.popen("run", "sync", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    def kill_cli(self) -> None:
        """A command in the middle of something."""
        words = self.random.choice(
            [
                ("run", "sync"),
                ("run", "logs", self.run_id, "-f"),
                ("run", "list"),
                ("run", "metrics", self.run_id),
            ]
        )
        process = self.home.popen(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0.05, 0.6))
        process.kill()
        process.wait()
        self.account.kills["cli"] += 1

    def kill_desktop(self) -> None:
        """The desktop, at home in a terminal."""
        near, far = pty.openpty()
        process = self.home.popen(stdin=far, stdout=far, stderr=far)
        os.close(far)
        time.sleep(self.random.uniform(0.3, 1.5))
        process.kill()
        process.wait()
        os.close(near)
        self.account.kills["desktop"] += 1

    def kill_session(self) -> None:
        """The host's end of the connection."""
        if self.sshd.kill_sessions():
            self.account.kills["sshd session"] += 1

    def cut_link(self) -> None:
        """The connection, after some bytes more."""
        self.proxy.cut_after(self.random.randrange(1, 60_000), reset=self.random.random() < 0.5)
        self.account.kills["link"] += 1

    def kill_supervisor(self) -> None:
        """The process on the host that watches the job."""
        for record in self.sshd.root.glob("jobs/*/a*/supervisor.json"):
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(json.loads(record.read_text())["pid"], signal.SIGKILL)
                self.account.kills["supervisor"] += 1

    def kill_starters(self, most: int, seconds: float) -> None:
        """Whatever starts something on the host, `most` times at random moments of its short life."""
        deadline = time.monotonic() + seconds
        while most and time.monotonic() < deadline and not self.child_alive():
            for pid in _starters(str(self.sshd.root)):
                time.sleep(self.random.uniform(0, 0.08))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.account.kills["starter"] += 1
                    most -= 1
                    break
            time.sleep(0.002)

    # -- the truth

    def check_show(self) -> str:
        """`run show` never says that a living job has ended."""
        alive = self.child_alive()
        status = str(self.home.json("run", "show", self.run_id)["status"])
        if alive:
            assert status in LIVE, f"run show says {status} while its job lives"
        self.account.checks += 1
        return status

    def finish(self, lines: int, timeout: float) -> None:
        """Wait for the end and hold every record against what the job wrote."""

        def done() -> bool:
            if self.home.engine_pid() is None:
                self.home.run("run", "sync")
            return str(self.home.json("run", "show", self.run_id)["status"]) not in LIVE

        wait_until(done, timeout, "the run's end")
        (series,) = self.home.json("run", "metrics", self.run_id, "--key", "value")
        assert series["steps"] == list(range(lines))
        assert series["values"] == [(step * 7919) % 1000003 for step in range(lines)]
        shown = self.home.json("run", "show", self.run_id)
        # Without its supervisor nobody was there to see how the job ended: that must be said then.
        expected = {"succeeded", "lost"} if self.account.kills["supervisor"] else {"succeeded"}
        assert shown["status"] in expected, shown["reason"]
        assert shown["metrics"]["value"]["count"] == lines
        per_attempt = Counter(line.split()[1] for line in self._trainers())
        assert set(per_attempt.values()) == {1}, per_attempt
        self.account.attempts = len(per_attempt)

    def rampage(self, kills: int, faults: list[Callable[[], None]], pause: tuple[float, float]) -> None:
        """So many faults, at random, with `run show` asked in between."""
        before = sum(self.account.kills.values())
        turn = 0
        while sum(self.account.kills.values()) - before < kills and self.child_alive():
            self.random.choice(faults)()
            time.sleep(self.random.uniform(*pause))
            turn += 1
            if turn % 4 == 0:
                self.check_show()


def _starters(folder: str) -> list[int]:
    """Processes that start a job of this root.

    Supervisor and job bear the same command line until they become something else; they are children of
    nobody and of such a process.
    """
    starting = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if "start" in line and any(word.startswith(folder) for word in line):
                    starting[int(entry.name)] = parent
    return [pid for pid, parent in starting.items() if parent != 1 and parent not in starting]
