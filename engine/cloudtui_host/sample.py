"""Samples of the machine and of the job's processes, beside the job and never in its way."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from typing import Any, Dict, Optional, Tuple

from cloudtui_host import console, files, gpus, layout, proc
from cloudtui_host.journal import JournalWriter

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
BACKLOG_BYTES = 256 * 1024
"""On a full disk samples wait in memory up to this much, then are dropped."""


def parse_cpu(text: str) -> Tuple[int, int]:
    """(busy, total) ticks of /proc/stat."""
    for line in text.splitlines():
        if line.startswith("cpu "):
            ticks = [int(part) for part in line.split()[1:9]]
            idle = ticks[3] + (ticks[4] if len(ticks) > 4 else 0)
            return sum(ticks) - idle, sum(ticks)
    return 0, 0


def parse_meminfo(text: str) -> Dict[str, int]:
    """Bytes by name of /proc/meminfo."""
    found = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        parts = rest.split()
        if colon and parts and parts[0].isdigit():
            found[name] = int(parts[0]) * (1024 if len(parts) > 1 else 1)
    return found


class Meter:
    """Turns counters into rates between two looks."""

    def __init__(self, root: str, pgid: int) -> None:
        self._root = root
        self._pgid = pgid
        self._cpu = parse_cpu(files.text("/proc/stat"))
        self._job: Optional[Tuple[float, Dict[int, int]]] = None

    def values(self) -> Dict[str, float]:
        """The numbers of now."""
        values: Dict[str, float] = {}
        busy, total = parse_cpu(files.text("/proc/stat"))
        if total > self._cpu[1]:
            values["cpu/percent"] = round(100.0 * (busy - self._cpu[0]) / (total - self._cpu[1]), 2)
        self._cpu = (busy, total)
        memory = parse_meminfo(files.text("/proc/meminfo"))
        if "MemTotal" in memory:
            values["memory/total_bytes"] = memory["MemTotal"]
            values["memory/used_bytes"] = memory["MemTotal"] - memory.get(
                "MemAvailable", memory.get("MemFree", 0)
            )
        with contextlib.suppress(OSError):
            disk = shutil.disk_usage(self._root)
            values["disk/total_bytes"] = disk.total
            values["disk/free_bytes"] = disk.free
        values.update(self._processes())
        return values

    def _processes(self) -> Dict[str, float]:
        members = proc.group(self._pgid)
        now = time.monotonic()
        ticks = {pid: one.cpu_ticks for pid, one in members.items()}
        values: Dict[str, float] = {
            "job/processes": len(members),
            "job/rss_bytes": sum(one.rss_pages for one in members.values()) * _PAGE,
        }
        if self._job is not None and now > self._job[0]:
            # Process by process: one that ended between two looks must not make the sum fall.
            used = sum(max(0, count - self._job[1].get(pid, 0)) for pid, count in ticks.items())
            values["job/cpu_percent"] = round(100.0 * used / _TICKS / (now - self._job[0]), 2)
        self._job = (now, ticks)
        return values


class Sampler:
    """Writes a `system` record every `every_s` seconds from its own thread.

    A full disk costs samples and nothing else.
    """

    def __init__(self, root: str, folder: str, pgid: int, every_s: float) -> None:
        self._meter = Meter(root, pgid)
        self._every_s = every_s
        self._path = os.path.join(folder, layout.SOURCES["system"])
        self._writer: Optional[JournalWriter] = None
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="samples", daemon=True)
        self._gpus = gpus.Asker()
        self._console = console.Console(folder)

    def start(self) -> None:
        """Begin; the first sample comes at once."""
        self._thread.start()

    def close(self) -> Optional[JournalWriter]:
        """End with one last sample; returns the journal for what is still to be written, or None."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        self._gpus.close()
        with self._lock:
            self._mark_console(last=True)
            self._write("system", values=self._meter.values(), gpus=[])
            writer, self._writer = self._writer, None
        return writer

    def event(self, name: str, data: Dict[str, Any]) -> None:
        """Write down something that happened to the machine; like a sample it is dropped on a full disk."""
        with self._lock:
            if not self._done.is_set():
                self._write("event", name=name, data=data)

    def look_at_console(self) -> None:
        """Note how long the console is by now, where it has grown; later, where a sample hangs on a disk."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._done.is_set():
                self._mark_console()
        finally:
            self._lock.release()

    def _mark_console(self, last: bool = False) -> None:
        size = self._console.grown(last)
        if size is not None:
            self._write("console", size=size)

    def _run(self) -> None:
        while True:
            begun = time.monotonic()
            found = self._gpus.ask()
            with self._lock:
                if self._done.is_set():
                    return
                self._write("system", values=self._meter.values(), gpus=found)
            if self._done.wait(max(0.0, begun + self._every_s - time.monotonic())):
                return

    def _write(self, kind: str, **fields: Any) -> None:
        with contextlib.suppress(OSError):
            if self._writer is None:
                self._writer = JournalWriter(self._path)
            if self._writer.pending_bytes < BACKLOG_BYTES:
                self._writer.write(kind, flush=True, **fields)
            else:
                self._writer.flush()
