"""What this machine does now: one sample for `idle`."""

from __future__ import annotations

import glob
import os
import re
import time
from typing import Dict, List, Optional

from cloudtui_host import files, gpus, idle, proc, sample, status

_TICKS = os.sysconf("SC_CLK_TCK")
_SECTOR = 512
_NO_DISKS = ("loop", "ram", "dm-", "md", "zram", "sr")
NOTEBOOKS = "jupyter-"
"""How the jobs begin that are a person's Jupyter."""
TERMINALS = "/dev/pts/[0-9]*"
CLOUD_INIT = "/run/cloud-init"


def read(root: str) -> idle.Sample:
    """The sample of now."""
    busy_ticks, _ = sample.parse_cpu(files.text("/proc/stat"))
    return idle.Sample(
        t=uptime(files.text("/proc/uptime")),
        boot=proc.boot_id(),
        jobs=["%s/%d" % (job, number) for job, number, state in status.living(root) if is_work(job, state)],
        setting_up=is_set_up(CLOUD_INIT),
        gpus=gpu_percents(),
        cpu_s=busy_ticks / _TICKS,
        processes=processes(),
        disk_bytes=disk_bytes(files.text("/proc/diskstats")),
        net_bytes=net_bytes(files.text("/proc/net/dev")),
        input_age_s=input_age(TERMINALS),
    )


def is_work(job: str, state: str) -> bool:
    """Whether a job keeps this machine: a Jupyter where nobody computes does not; its kernels' CPU does."""
    return state != "elsewhere" and not job.startswith(NOTEBOOKS)


def uptime(text: str) -> float:
    """Seconds since the boot, those in which the machine slept among them."""
    return float(text.split()[0])


def is_set_up(folder: str) -> bool:
    """Whether cloud-init is not through yet."""
    return os.path.isdir(folder) and not os.path.exists(os.path.join(folder, "result.json"))


def gpu_percents() -> Optional[List[float]]:
    """How busy each GPU is; one that does not say counts as busy while a process is on it."""
    if gpus.find_smi() is None:
        return []
    found = gpus.read()
    percents = []
    for gpu in found:
        said = gpu["utilization"]
        percents.append(float(said) if said is not None else 100.0 if gpu["processes"] else 0.0)
    return percents or None


def processes() -> Dict[str, float]:
    """CPU seconds of all processes but this one."""
    found = {}
    for pid in proc.pids():
        seen = proc.stat(pid) if pid != os.getpid() else None
        if seen is not None:
            found["%d:%d" % (pid, seen.start_time)] = seen.cpu_ticks / _TICKS
    return found


def disk_bytes(text: str) -> int:
    """Read and written since the boot, of whole disks, in the text of /proc/diskstats."""
    disks = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 10 and not parts[2].startswith(_NO_DISKS):
            disks[parts[2]] = int(parts[5]) + int(parts[9])
    # A partition's sectors are its disk's, too.
    whole = [name for name in disks if _disk_of(name) not in disks]
    return _SECTOR * sum(disks[name] for name in whole)


def _disk_of(name: str) -> Optional[str]:
    """The disk that a partition of this name is of: sda1, nvme0n1p1."""
    found = re.fullmatch(r"(.*\d)p\d+|(.*\D)\d+", name)
    return found and (found.group(1) or found.group(2))


def net_bytes(text: str) -> int:
    """Received and sent since the boot over all but loopback, in the text of /proc/net/dev."""
    total = 0
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        parts = rest.split()
        if colon and name.strip() != "lo" and len(parts) >= 9:
            total += int(parts[0]) + int(parts[8])
    return total


def input_age(pattern: str) -> Optional[float]:
    """Seconds since the last key on the terminals that match; None where there is none.

    A terminal's access time is that of its last read, and what reads is who waits for keys.
    """
    ages = []
    for path in glob.glob(pattern):
        try:
            ages.append(max(0.0, time.time() - os.stat(path).st_atime))
        except OSError:
            continue
    return min(ages) if ages else None
