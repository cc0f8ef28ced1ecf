from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.host.lane import SHA, Lane, session


def failure(lane: Lane) -> str:
    """What the host says where no frames come."""
    out, _ = lane.process.communicate(timeout=30)
    lines = [line for line in out.decode().splitlines() if line.startswith("cloudtui-error ")]
    assert len(lines) == 1, out
    return lines[0]


def test_many_sessions_install_at_once(root: Path) -> None:
    lanes = [Lane(root, "bulk" if number % 2 else "control") for number in range(8)]
    for lane in lanes:
        hello = lane.hello()
        assert hello["root"] == str(root)
        assert hello["protocol"] == 1
    for lane in lanes:
        lane.close()
    assert [path.name for path in (root / "host").iterdir()] == [SHA]
    assert (root / "host" / SHA / "cloudtui_host/for_scripts/cloudtui_log.py").is_file()


def test_the_default_root_is_in_the_home(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path)}
    for wanted, root in (("", ".cloudtui"), ("~/elsewhere", "elsewhere")):
        with session(wanted, env=env) as lane:
            assert lane.hello()["root"] == str(tmp_path / root)


def test_a_home_that_is_missing_is_told(tmp_path: Path) -> None:
    lane = Lane("", env={**os.environ, "HOME": str(tmp_path / "gone")})
    said = failure(lane)
    assert '"home_missing"' in said
    assert "--root" in said


def test_a_relative_root_is_refused() -> None:
    assert '"bad_root"' in failure(Lane(Path("some/where")))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: runs as another user")
def test_a_root_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o755)
    script = f"import os; os.setgid(65534); os.setuid({pwd.getpwnam('nobody').pw_uid}); "
    wrapper = tmp_path / "python"
    # The bootstrap's -I -u -c CODE become arguments; the wrapper gives up its rights first.
    wrapper.write_text(
        f'#!/bin/sh\nexec /usr/bin/python3 -I -u -c "{script}exec(__import__(\'sys\').argv[4])" "$@"\n'
    )
    wrapper.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/") and folder.stat().st_mode & 0o5 != 0o5:
            folder.chmod(folder.stat().st_mode | 0o5)
    said = failure(Lane(closed / "root", python=str(wrapper)))
    assert '"no_permission"' in said


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root: mounts a small disk"
)
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(disk)], check=False).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        assert '"disk_full"' in failure(Lane(disk / "root"))
        assert not list((disk / "root/host").iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)
