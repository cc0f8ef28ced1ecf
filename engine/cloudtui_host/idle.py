"""Whether a machine does nothing, from two samples of it. Pure.

Soft: whatever is not known to be quiet counts as work, for a machine that is left running costs money, and
one that is ended under somebody costs their work. The deadline is what ends it for certain.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

GPU_PERCENT = 5.0
CORES = 0.2
"""Of all processes together."""
ONE_PROCESS = 0.1
"""A core's share that makes one process a working one, however many cores there are."""
DISK_BYTES_S = 1e6
NET_BYTES_S = 64e3
"""A followed machine tells the laptop less than that."""
LONGEST_GAP_S = 600.0
"""Samples that are further apart say nothing of what was between them."""


class Sample(NamedTuple):
    """A machine at one moment. Counters grow since its boot."""

    t: float
    """Seconds since the boot."""
    boot: str
    jobs: List[str]
    """Jobs of ours that live, environments among them."""
    setting_up: bool
    """cloud-init works."""
    gpus: Optional[List[float]]
    """Percent of each; None: there are some, and they do not say."""
    cpu_s: float
    """Seconds of work of all cores."""
    processes: Dict[str, float]
    """CPU seconds of each process, by `pid:start time`, ours left out."""
    disk_bytes: int
    net_bytes: int
    input_age_s: Optional[float]
    """Since the last key on any terminal; None: there is no terminal."""

    def as_dict(self) -> Dict[str, Any]:
        """As it is kept until the next one."""
        return dict(self._asdict())


def sample_of(kept: Mapping[str, Any]) -> Optional[Sample]:
    """The sample that `as_dict` made; None where it is none."""
    try:
        return Sample(**kept)
    except TypeError:
        return None


def busy(before: Optional[Sample], now: Sample, idle_s: float) -> str:
    """What the machine works at, a few words; empty when it does nothing.

    Args:
        before: the sample before.
        now: the newest.
        idle_s: keys that were pressed within so many seconds are work.
    """
    why = _shown(now, idle_s)
    if why:
        return why
    if before is None or before.boot != now.boot or not 0 < now.t - before.t <= LONGEST_GAP_S:
        return "it was not looked at before"
    return _counted(before, now, now.t - before.t)


def _shown(now: Sample, idle_s: float) -> str:
    """What one sample shows."""
    if now.jobs:
        return "job %s" % now.jobs[0]
    if now.setting_up:
        return "it is set up"
    if now.gpus is None:
        return "its GPUs do not say"
    if any(percent >= GPU_PERCENT for percent in now.gpus):
        return "a GPU works"
    if now.input_age_s is not None and now.input_age_s < idle_s:
        return "somebody types"
    return ""


def _counted(before: Sample, now: Sample, seconds: float) -> str:
    """What counters tell that grew in the time between two samples."""
    for who, used in now.processes.items():
        if used - before.processes.get(who, 0.0) >= ONE_PROCESS * seconds:
            return "process %s works" % who.partition(":")[0]
    if now.cpu_s - before.cpu_s >= CORES * seconds:
        return "its processor works"
    if now.disk_bytes - before.disk_bytes >= DISK_BYTES_S * seconds:
        return "its disk works"
    if now.net_bytes - before.net_bytes >= NET_BYTES_S * seconds:
        return "its network works"
    return ""


class Quiet(NamedTuple):
    """Since when nothing was done, and the sample that said so."""

    since: Optional[float]
    """Seconds since the boot; None: something is done."""
    why: str
    last: Sample


def look(kept: Optional[Quiet], now: Sample, idle_s: float) -> Quiet:
    """The quiet as of `now`, given what it was."""
    before = kept.last if kept else None
    why = busy(before, now, idle_s)
    if why:
        return Quiet(None, why, now)
    begun = kept.since if kept and kept.since is not None else None
    # What was quiet at both ends of the time between two samples was quiet since the first.
    return Quiet(begun if begun is not None else (before or now).t, "", now)


def is_over(quiet: Quiet, idle_s: float) -> bool:
    """Whether it was quiet for long enough to be ended."""
    return quiet.since is not None and idle_s > 0 and quiet.last.t - quiet.since >= idle_s
