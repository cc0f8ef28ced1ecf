"""Two hundred hosts and one whole engine: connect, poll, memory, idle; then half of them fall silent.

python -m bench links [--hosts 200]

The engine, with dispatcher, deciders, books and catalog, runs on a thread of this process. The hosts are real
sshd sessions with a host part each, on loopback addresses of their own. The silent half is stopped, server
and sessions: its connections stay open and say nothing, and new ones are never accepted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import sshd

from bench._report import skipped
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.engine import Engine
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.hosts.sparing import spare_memory
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance, LinkState

WORKERS = 32
IDLE_S = 15.0
SILENT_S = 45.0
"""As long as it takes until silent links are given up, and tried again."""
ROUNDS = 7
A_SERVER = 16
"""As many addresses as one sshd listens on."""


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
    """CPU seconds of this process and of what it started and waited for (`ssh -G`)."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


class Fleet:
    """The hosts: their servers, and their rows in a catalog."""

    def __init__(self, folder: Path, catalog: Catalog, count: int) -> None:
        key = sshd.make_key(folder / "key")
        self.servers: list[sshd.Sshd] = []
        self.names: list[str] = []
        known = []
        for first in range(0, count, A_SERVER):
            numbers = range(first, min(first + A_SERVER, count))
            addresses = [f"127.77.{number // 200}.{number % 200 + 1}" for number in numbers]
            server = sshd.Sshd(
                folder / f"sshd{first}",
                address=addresses[0],
                user_key=key,
                extra=[f"ListenAddress {address}" for address in addresses[1:]],
            )
            self.servers.append(server.start())
            for number, address in zip(numbers, addresses, strict=True):
                known.append(f"[{address}]:{server.port} {server.host_public}\n")
                where = Address(address, server.user, server.port, str(key))
                name = f"host-{number:03}"
                root = folder / "roots" / name
                (root / "jobs").mkdir(parents=True)
                catalog.instances.add(Instance(name, name, "ssh", where, str(root)))
                self.names.append(name)
        catalog.paths.known_hosts.write_text("".join(known))

    def silence(self, servers: Sequence[sshd.Sshd]) -> list[int]:
        """Stop these servers with all their sessions; the processes that were stopped."""
        pids = [pid for server in servers for pid in server.processes()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return pids

    def close(self) -> None:
        """End all."""
        for server in self.servers:
            server.stop()


@contextlib.contextmanager
def running(paths: Paths) -> Iterator[Engine]:
    """The engine of this home at work."""
    engine = Engine(paths, idle_exit_s=None)
    thread = threading.Thread(target=engine.run, name="engine")
    thread.start()
    try:
        yield engine
    finally:
        engine.ask_to_end()
        thread.join(60)


def up(catalog: Catalog, names: Sequence[str]) -> int:
    wanted = set(names)
    return sum(one.link_state is LinkState.UP for one in catalog.instances.list() if one.name in wanted)


def polls(pool: ThreadPoolExecutor, links: Sequence[HostLink], rounds: int) -> list[float]:
    """Seconds of each round in which all are asked how a job of theirs stands."""

    def poll(link: HostLink) -> None:
        with link.session(5.0) as session:
            session.request("status", {"job": "c0abc", "attempt": 1})

    return sorted(timed(lambda: list(pool.map(poll, links))) for _ in range(rounds))


def measure(fleet: Fleet, catalog: Catalog, links: Links) -> bool:
    """All figures."""
    all_links = [links.to(name) for name in fleet.names]
    with contextlib.ExitStack() as held, ThreadPoolExecutor(WORKERS) as pool:
        first, *others = all_links
        held.enter_context(first.session(60.0))  # what is loaded once is no host's memory
        list(polls(pool, [first] * WORKERS, 1))
        before = resident()
        # Somebody waits for each of them, so that those that fall silent are tried again and again.
        seconds = timed(lambda: [held.enter_context(one) for one in pool.map(opened, others)])
        found = polls(pool, all_links, ROUNDS)
        memory = (resident() - before) / len(others)
        begin = cpu()
        time.sleep(IDLE_S)
        idle = (cpu() - begin) / IDLE_S
        what = f"{len(all_links)} hosts, {WORKERS} workers"
        good = report("links connect all, s", seconds, 90.0, f"{what}; their host parts start here, too")
        good &= report("links poll all, s", found[ROUNDS // 2], 2.0, f"{what}; slowest {found[-1]:.2f} s")
        good &= report("links memory each, KiB", memory / 1024, 100.0, "resident, this process")
        good &= report("links idle, share of a core", idle, 0.10, f"over {IDLE_S:.0f} s")
        good &= report("links not up, hosts", len(all_links) - up(catalog, fleet.names), 0, what)
        return measure_silence(fleet, catalog, links, pool) and good


def opened(link: HostLink) -> contextlib.AbstractContextManager[None]:
    """A session that was waited for, to be held."""
    stack = contextlib.ExitStack()
    stack.enter_context(link.session(120.0))
    return stack


def measure_silence(fleet: Fleet, catalog: Catalog, links: Links, pool: ThreadPoolExecutor) -> bool:
    """Half of them say nothing more; the others must not notice."""
    servers = fleet.servers[len(fleet.servers) // 2 :]
    living = fleet.names[: A_SERVER * (len(fleet.servers) // 2)]
    dead = fleet.names[len(living) :]
    there = [links.to(name) for name in living]
    memory, begin, used = resident(), time.monotonic(), cpu()
    stopped = fleet.silence(servers)
    try:
        slowest, fewest, spent = 0.0, len(living), 0.0
        while time.monotonic() - begin < SILENT_S:
            before = cpu()
            slowest = max(slowest, *polls(pool, there, 1))
            fewest = min(fewest, up(catalog, living))
            spent += cpu() - before
            time.sleep(1.0)
        idle = (cpu() - used - spent) / (time.monotonic() - begin)
        what = f"{len(dead)} of {len(fleet.names)} silent for {SILENT_S:.0f} s"
        good = report("links poll the others, slowest, s", slowest, 2.0, what)
        good &= report("links others that were not up", len(living) - fewest, 0, what)
        good &= report("links silent ones called up", up(catalog, dead), 0, what)
        good &= report("links idle beside them, share of a core", idle, 0.10, f"{what}; ours polls left out")
        grown = (resident() - memory) / len(dead) / 1024
        good &= report("links memory more for each of them, KiB", grown, 100.0, "they are tried again")
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    back = timed(lambda: sshd.wait_for(lambda: up(catalog, dead) == len(dead), "all back", 120.0))
    return (
        report("links all back after, s", back, 60.0, "the longest wait between two tries is 30 s") and good
    )


def main() -> bool:
    """Measure; False when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench links")
    parser.add_argument("--hosts", type=int, default=200)
    given = parser.parse_args()
    spare_memory()  # as the engine does
    if sshd.missing() or sys.platform != "linux":
        skipped("links", sshd.missing() or "only Linux tells a process's memory here")
        return True
    with tempfile.TemporaryDirectory() as name:
        paths = Paths(Path(name) / "home")
        catalog = Catalog.open(paths)
        fleet = Fleet(Path(name), catalog, given.hosts)
        try:
            with running(paths) as engine:
                return measure(fleet, catalog, engine._links)  # its own: nothing else holds a host
        finally:
            fleet.close()
            catalog.close()


if __name__ == "__main__":
    sys.exit(not main())
