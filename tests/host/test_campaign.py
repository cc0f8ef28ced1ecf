"""Long runs of kill -9 at random points. A job locks a file of its own: two lives at once leave a mark."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.host.lane import HostSaysNoError, Lane, said, start, state, verb, wait_for

from cloudtui_host import files, proc, status
from cloudtui_host.journal import decode_line

pytestmark = pytest.mark.campaign

ONLY = """
import fcntl, os, sys, time
lock = open(os.path.join(os.path.dirname(os.environ["CLOUDTUI_ATTEMPT"]), "only"), "a")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    open(os.path.join(os.path.dirname(os.environ["CLOUDTUI_ATTEMPT"]), "TWO"), "w")
lock.write("%d\\n" % os.getpid()); lock.flush()
time.sleep(float(sys.argv[1]))
"""


def test_starters_killed_at_random_never_make_two_and_never_stick(root: Path) -> None:
    rng = random.Random(1)
    for number in range(150):
        job = f"s{number}"
        spec = {"argv": [sys.executable, "-ISc", ONLY, "0.05"], "sample_s": 5}
        starters = []
        for _ in range(rng.randrange(1, 5)):
            starters.append(verb(root, "start", job=job, attempt=1, spec=spec))
        time.sleep(rng.uniform(0.0, 0.15))
        for starter in starters:
            starter.kill()
            starter.wait()
        wanted = 1
        deadline = time.monotonic() + 20
        while True:
            found = said(verb(root, "start", job=job, attempt=wanted, spec=spec))
            if found["state"] == "exited":
                assert found["exit"]["code"] == 0, found
                break
            assert found["state"] in ("starting", "running", "ending", "busy", "stillborn"), found
            wanted += found["state"] == "stillborn"
            assert time.monotonic() < deadline, found
        assert not (root / "jobs" / job / "TWO").exists()
        assert len(list(root.glob(f"jobs/{job}/a*/exec.json"))) == 1


def test_supervisors_killed_at_random_never_lose_the_job(root: Path) -> None:
    rng = random.Random(2)
    seen = set()
    for number in range(120):
        job = f"v{number}"
        seconds = rng.choice(["0.1", "30"])
        start(root, job, 1, sys.executable, "-ISc", ONLY, seconds)
        folder = root / "jobs" / job / "a0001"
        time.sleep(rng.uniform(0, 0.15))
        guard = files.read_json(str(folder / "supervisor.json"))
        if guard is not None and proc.alive(guard):
            with contextlib.suppress(ProcessLookupError):
                os.kill(guard["pid"], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while (found := state(root, job)) not in status.OVER:
            said(verb(root, "stop", job=job, attempt=1, grace_s=0.5))
            assert time.monotonic() < deadline, found
        seen.add(found)
        child = files.read_json(str(folder / "child.json"))
        wait_for(lambda who=child: not proc.alive(who))  # type: ignore[misc]
        assert start(root, job, 2, "/bin/true")["state"] in ("starting", "running", "ending", "exited")
        assert not (root / "jobs" / job / "TWO").exists()
    assert "exited" in seen


def test_every_line_once_under_killed_sessions(root: Path) -> None:
    rng = random.Random(3)
    total = 60_000
    script = f"import cloudtui_log\nfor i in range({total}): cloudtui_log.log({{'x': i}})\n"
    start(root, "lines", 1, sys.executable, "-c", script)
    path = root / "jobs/lines/a0001/journal/trainer.jsonl"
    stored = bytearray()
    kills = 0
    deadline = time.monotonic() + 120
    while state(root, "lines") not in status.OVER or len(stored) < path.stat().st_size:
        assert time.monotonic() < deadline
        lane = Lane(root)
        with contextlib.suppress(AssertionError, BrokenPipeError, HostSaysNoError):
            lane.hello()
            cut = threading.Timer(rng.uniform(0.02, 0.4), lane.process.kill)
            cut.start()
            args = {"stream": 1, "job": "lines", "attempt": 1, "source": "trainer"}
            lane.request("follow", **args, offset=len(stored), tail=bytes(stored[-32:]).hex())
            buffer = b""
            while lane.read(1.0):
                for _, offset, chunk in lane.data:
                    assert offset == len(stored) + len(buffer)
                    buffer += chunk
                lane.data.clear()
                whole = buffer.rfind(b"\n") + 1
                stored += buffer[:whole]
                buffer = buffer[whole:]
                lane.tell("ack", stream=1, offset=len(stored))
            cut.cancel()
        kills += 1
        lane.kill()
    assert bytes(stored) == path.read_bytes()
    assert [decode_line(line)["step"] for line in bytes(stored).splitlines()] == list(range(total))
    assert kills > 3
