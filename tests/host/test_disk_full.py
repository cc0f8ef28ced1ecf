"""A full disk on the host costs samples and console, never the record of how a job ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.host.lane import HostSaysNoError, attempt_json, said, start, until_state, verb, wait_for

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root: mounts a small disk"
)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)], check=False).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"f" * 4096)


def test_the_end_is_recorded_on_a_full_disk(small: Path) -> None:
    start(
        small,
        "full",
        1,
        "/bin/sh",
        "-c",
        "while [ ! -e /proc/self/none ] && [ ! -e $CLOUDTUI_ATTEMPT/go ]; do sleep 0.02; done; exit 7",
        sample_s=0.05,
    )
    attempt_json(small, "full", "exec.json")
    (small / "jobs/full/a0001/go.tmp").touch()
    fill(small)
    system = small / "jobs/full/a0001/journal/system.jsonl"
    (small / "jobs/full/a0001/go.tmp").rename(small / "jobs/full/a0001/go")
    ended = until_state(small, "full", "exited")["exit"]
    assert (ended["code"], ended["kind"]) == (7, "exited")
    assert system.exists()


def test_a_job_is_stopped_on_a_full_disk(small: Path) -> None:
    start(small, "stop", 1, "/bin/sh", "-c", "trap 'exit 75' TERM; while :; do sleep 0.05; done")
    attempt_json(small, "stop", "exec.json")
    # No name can be made either.
    subprocess.run(["mount", "-o", "remount,nr_inodes=1", str(small)], check=False, capture_output=True)
    fill(small)
    said(verb(small, "stop", job="stop", attempt=1, grace_s=5))
    ended = until_state(small, "stop", "exited")["exit"]
    assert ended["kind"] == "stopped"


def test_a_start_on_a_full_disk_says_so_and_leaves_nothing(small: Path) -> None:
    fill(small)
    with pytest.raises(HostSaysNoError, match="disk_full"):
        start(small, "none", 1, "/bin/true")
    assert not list(small.glob("jobs/none/a*"))
    (small / "filler").unlink()
    start(small, "none", 1, "/bin/true")
    wait_for(lambda: not list(small.glob("jobs/none/.new-*")))
    assert until_state(small, "none", "exited")["exit"]["code"] == 0
