"""Fifty hosts at once, real sshd sessions on loopback names: connect, poll, memory, idle.

python -m bench links
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import sshd

from bench._report import skipped
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.ssh_config import Endpoint

HOSTS = 50
WORKERS = 32
IDLE_S = 15.0
ROUNDS = 5


def report(bench: str, value: float, goal: float, detail: str) -> bool:
    """One JSON line; goals are upper limits."""
    line = {"bench": bench, "ratio": round(value, 3), "goal": goal, "ok": value <= goal, "detail": detail}
    print(json.dumps(line), flush=True)
    return value <= goal


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(server: sshd.Sshd, folder: Path) -> bool:
    """All figures with one server on loopback that stands for all of them."""
    known = folder / "known"
    names = [f"host-{number + 1}" for number in range(HOSTS)]
    known.write_text(server.known_line())
    hosts = KnownHosts(known, ())
    sessions: list[Session] = []

    def connect(name: str) -> None:
        end = Endpoint(name, server.address, server.user, server.port, key_file=str(server.user_key))
        transport = SshTransport(end, hosts)
        transport.connect(60)
        sessions.append(Session(transport, str(folder / "roots" / name)))

    with ThreadPoolExecutor(WORKERS) as pool:
        connect(names.pop())  # What is loaded once is no host's memory.
        before = resident()
        seconds = timed(lambda: list(pool.map(connect, names)))
        memory = (resident() - before) / len(names)
        polls = sorted(
            timed(lambda: list(pool.map(lambda session: session.request("ping"), sessions)))
            for _ in range(ROUNDS)
        )
        begin = cpu()
        time.sleep(IDLE_S)
        idle = (cpu() - begin) / IDLE_S
    silent = max(session.silence() for session in sessions)
    for session in sessions:
        session.close()
    what = f"{HOSTS} hosts, {WORKERS} workers"
    good = report(
        "links connect all, s", seconds, 20.0, f"{what}; a python is started on each, all on this machine"
    )
    good = report("links poll all, s", polls[ROUNDS // 2], 0.3, f"{what}, median of {ROUNDS}") and good
    good = report("links memory each, MiB", memory / 2**20, 0.5, "resident, this process") and good
    good = report("links idle, share of a core", idle, 0.05, f"pings each 3 s, over {IDLE_S:.0f} s") and good
    return report("links longest silence, s", silent, 4.0, "of all hosts after that time") and good


def main() -> bool:
    """Measure; False when a goal is missed."""
    if sshd.missing() or sys.platform != "linux":
        skipped("links", sshd.missing() or "only Linux tells a process's memory here")
        return True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # One process for all: fifty servers would measure this machine's memory.
        with sshd.Sshd(folder / "sshd") as server:
            return measure(server, folder)


if __name__ == "__main__":
    sys.exit(not main())
