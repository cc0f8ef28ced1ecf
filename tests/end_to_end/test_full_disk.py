"""This machine's disk is full for a while: it is said, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.home import Home, wait_until

COUNT = 4000
JOB = f"""
import time, cloudtui_log
for step in range({COUNT}):
    cloudtui_log.log({{"value": step * 3}}, step=step)
    time.sleep(0.001)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here (not root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.services  # its patience takes as long as one
def test_what_came_while_the_disk_was_full_is_stored_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    home = Home(small_disk / "home")
    # The job's own files lie elsewhere: it is the catalog's disk that is full.
    home.paths.home.mkdir()
    home.paths.local_root.symlink_to(tmp_path / "root")
    (tmp_path / "root").mkdir()
    script = tmp_path / "script"
    script.mkdir()
    (script / "job.py").write_text(JOB)
    filler = small_disk / "filler"
    try:
        run = str(
            home.json("run", "script", "--on", "local", "--dir", str(script), "--", "python3", "job.py")["id"]
        )
        wait_until(
            lambda: home.json("run", "show", run)["metrics"].get("value", {}).get("count"), 30, "points"
        )
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(os.urandom(65536))
                file.flush()
        root = tmp_path / "root"
        wait_until(lambda: list(root.glob("jobs/*/a0001/exit.json")), 60, "the job's own end")
        assert home.json("run", "show", run)["metrics"]["value"]["count"] < COUNT
        assert home.run("run", "list").status == 0
        refused = home.run("--json", "run", "note", run, "x" * 100_000)
        assert refused.status == 5
        assert "full" in refused.json["error"]["message"].lower()
        filler.unlink()
        home.run("run", "sync")
        wait_until(lambda: home.json("run", "show", run)["status"] == "succeeded", 60, "the end")
        (series,) = home.json("run", "metrics", run, "--key", "value")
        assert series["values"] == [step * 3 for step in range(COUNT)]
    finally:
        home.close()
