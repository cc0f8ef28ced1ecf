"""Which machine is idle: pure, from samples, one kind of activity after another; and one real process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.host.lane import start, until_state, wait_for

from cloudtui_host import activity, ending, files, idle, proc, status

LIMIT_S = 1800.0
REST = idle.Sample(
    t=0.0, boot="b", jobs=[], setting_up=False, gpus=[0.0, 2.0], cpu_s=100.0,
    processes={"1:5": 40.0, "900:77": 3.0}, disk_bytes=10**9, net_bytes=10**8, input_age_s=9000.0,
)  # fmt: skip


def quiet(minutes: int) -> idle.Sample:
    """A machine at rest: its daemons do what daemons do."""
    s = minutes * 60.0
    return REST._replace(
        t=s, cpu_s=100 + 0.02 * s, processes={"1:5": 40 + 0.01 * s, "900:77": 3.0},
        disk_bytes=10**9 + int(2e4 * s), net_bytes=10**8 + int(2e3 * s), input_age_s=9000 + s,
    )  # fmt: skip


def after(samples: list[idle.Sample], limit: float = LIMIT_S) -> idle.Quiet:
    seen = None
    for one in samples:
        seen = idle.look(seen, one, limit)
    assert seen is not None
    return seen


def test_a_machine_at_rest_is_over_after_its_limit_and_not_before() -> None:
    samples = [quiet(minute) for minute in range(40)]
    assert not idle.is_over(after(samples[:30]), LIMIT_S)
    assert idle.is_over(after(samples[:32]), LIMIT_S)
    assert not idle.is_over(after(samples), 0.0), "no limit"


WORK: dict[str, Any] = {
    "job of ours": {"jobs": ["run-1/1"]},
    "set-up": {"setting_up": True},
    "gpu": {"gpus": [0.0, 5.0]},
    "gpu that does not say": {"gpus": None},
    "keys": {"input_age_s": 1700.0},
    "another boot": {"boot": "c"},
}
GROWN: dict[str, Any] = {
    "many processes": lambda now: {"cpu_s": now.cpu_s + 0.2 * 60},
    "one process of 64 cores": lambda now: {
        "processes": {**now.processes, "900:77": now.processes["900:77"] + 6.0}
    },
    "a new process": lambda now: {"processes": {**now.processes, f"901:{len(now.processes)}": 6.5}},
    "disk": lambda now: {"disk_bytes": now.disk_bytes + 60 * 10**6},
    "network": lambda now: {"net_bytes": now.net_bytes + 60 * 64 * 1000},
}


@pytest.mark.parametrize("kind", [*WORK, *GROWN])
def test_each_kind_of_work_begins_the_quiet_anew(kind: str) -> None:
    samples = [quiet(minute) for minute in range(35)]
    assert idle.is_over(after(samples), LIMIT_S)
    at = samples[20]
    samples[20] = at._replace(**(WORK[kind] if kind in WORK else GROWN[kind](at)))
    seen = after(samples)
    assert not idle.is_over(seen, LIMIT_S)
    assert seen.since is not None
    assert seen.since >= 20 * 60


@pytest.mark.parametrize("kind", [*WORK, *GROWN])
def test_work_that_goes_on_is_never_idle(kind: str) -> None:
    seen, before = None, REST
    for minute in range(300):
        now = quiet(minute)
        grown = GROWN[kind](before) if kind in GROWN else {}
        now = now._replace(**WORK.get(kind, {}), **grown)
        if kind == "another boot":
            now = now._replace(boot=f"b{minute}")
        seen, before = idle.look(seen, now, LIMIT_S), now
        assert not idle.is_over(seen, LIMIT_S)
        assert seen.why or minute == 0


def test_what_lies_between_samples_that_are_far_apart_is_not_known() -> None:
    assert after([quiet(0), quiet(1), quiet(200)]).since is None


def test_a_sample_is_kept_and_read_again() -> None:
    assert idle.sample_of(REST.as_dict()) == REST
    assert idle.sample_of({"t": 1}) is None


def test_disks_are_counted_once() -> None:
    line = "{} {} {} 1 0 {} 0 1 0 {} 0 0 0 0"
    text = "\n".join(
        line.format(8, 0, name, read, written)
        for name, read, written in [
            ("sda", 10, 5), ("sda1", 8, 5), ("nvme0n1", 100, 1), ("nvme0n1p1", 90, 1), ("loop0", 9, 9),
            ("xvdf1", 3, 0), ("dm-0", 50, 50),
        ]
    )  # fmt: skip
    assert activity.disk_bytes(text) == 512 * (15 + 101 + 3)


def test_the_network_is_counted_without_loopback() -> None:
    text = "Inter-| Receive | Transmit\n face |bytes\n lo: 5 1 0 0 0 0 0 0 5 1\n eth0: 70 1 0 0 0 0 0 0 9 1\n"
    assert activity.net_bytes(text) == 79


def test_cloud_init_that_is_not_through_is_set_up(tmp_path: Path) -> None:
    assert not activity.is_set_up(str(tmp_path / "none"))
    assert activity.is_set_up(str(tmp_path))
    (tmp_path / "result.json").touch()
    assert not activity.is_set_up(str(tmp_path))


def test_keys_on_a_terminal_are_seen() -> None:
    ours, theirs = pty.openpty()
    try:
        name = os.ttyname(theirs)
        os.utime(name, (1.0, 1.0))
        before = activity.input_age(name)
        assert before is not None
        assert before > 10**6
        os.write(ours, b"ls\n")
        assert os.read(theirs, 10) == b"ls\n"
        age = activity.input_age(name)
        assert age is not None
        assert age < 60
    finally:
        os.close(ours)
        os.close(theirs)
    assert activity.input_age("/nowhere/*") is None


def test_a_real_process_is_seen_working(root: Path) -> None:
    root.mkdir()
    before = activity.read(str(root))
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as worker:
        try:
            who = f"{worker.pid}:{proc.identity(worker.pid)['start_time']}"
            wait_for(lambda: activity.processes().get(who, 0.0) >= 0.3)
            now = activity.read(str(root))
        finally:
            worker.kill()
    # This machine may be busy with other tests: of all that it does only this process is looked at.
    alone = now._replace(processes={who: now.processes[who]}, input_age_s=None, t=before.t + 2.0)
    assert idle.busy(before._replace(processes={}), alone, LIMIT_S) == f"process {worker.pid} works"
    assert os.getpid() not in {int(one.split(":")[0]) for one in now.processes}


def test_a_job_of_ours_keeps_its_machine_and_its_end_lets_it_go(root: Path) -> None:
    start(root, "sleeper", 1, "/bin/sleep", "60")
    until_state(root, "sleeper", "running")
    assert activity.read(str(root)).jobs == ["sleeper/1"]
    assert not ending.is_quiet(str(root), LIMIT_S)
    kept = files.read_json(str(root / "switch/quiet.json"))
    assert kept is not None
    assert kept["why"] == "job sleeper/1"
    assert ending.quiet_for(str(root)) == (None, "job sleeper/1")
    ending.stop(str(root), 20.0)
    assert until_state(root, "sleeper", "exited")["exit"]["kind"] == "stopped"
    assert not list(status.living(str(root)))
