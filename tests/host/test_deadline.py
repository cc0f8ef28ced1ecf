"""A machine's end with nobody there: real jobs, the real switch, a clock that is turned by hand."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.host.lane import HostSaysNoError, attempt_json, records, session, until_state, wait_for

from cloudtui_host import files, switch, switch_script
from cloudtui_host.switch_script import STOP_S, TICK_S, WARN_S

TRAINER = """
import os, signal, sys, time
def save(*_):
    open(os.environ["CLOUDTUI_ATTEMPT"] + "/checkpoints/step-7", "w").write("weights")
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
open(os.environ["CLOUDTUI_ATTEMPT"] + "/ready", "w").close()
while True:
    time.sleep(60)
"""


class Clock:
    """The boot clock of a machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.up = 500
        (folder / "boot").write_text("boot-1\n")
        self.later(0)

    def later(self, seconds: int) -> None:
        self.up += seconds
        (self.folder / "uptime.new").write_text(f"{self.up}.00 1.00\n")
        (self.folder / "uptime.new").replace(self.folder / "uptime")

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "CLOUDTUI_UPTIME": str(self.folder / "uptime"),
            "CLOUDTUI_BOOT_ID": str(self.folder / "boot"),
            "CLOUDTUI_INIT": "/dev/null",
            "CLOUDTUI_TICK": "0.05",
            "CLOUDTUI_POWER_OFF": f"echo off >> {self.folder}/off",
            "CLOUDTUI_SWITCH": str(self.folder / "booted"),
        }

    @property
    def is_off(self) -> bool:
        return (self.folder / "off").exists()


@pytest.fixture
def clock(tmp_path: Path, root: Path) -> Iterator[Clock]:
    yield Clock(tmp_path)
    # The loop ends where its folder is gone, but it may sleep: it is ended by its number.
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((root / "switch/loop").read_text()), signal.SIGKILL)


def events(root: Path) -> list[dict[str, Any]]:
    path = root / "jobs/busy/a0001/journal/system.jsonl"
    return [one for one in records(path) if one["kind"] == "event"] if path.exists() else []


def test_the_deadline_ends_a_busy_machine_with_laptop_and_link_gone(root: Path, clock: Clock) -> None:
    with session(root, env=clock.env) as lane:
        spec = {"argv": [sys.executable, "-c", TRAINER], "sample_s": 60}
        lane.request("start", job="busy", attempt=1, spec=spec)
        said = lane.request("deadline", left_s=3600, arm=True)
    assert said == {
        "armed": True, "booted": False, "left_s": 3600, "idle_s": None, "quiet_s": None, "why": "",
    }  # fmt: skip
    wait_for((root / "jobs/busy/a0001/ready").exists)

    clock.later(3600 - WARN_S)
    told = wait_for(lambda: events(root))
    assert told[0]["name"] == "deadline"
    assert told[0]["data"]["left_s"] == WARN_S
    assert "10 minutes" in told[0]["data"]["text"]
    assert not (root / "jobs/busy/a0001/stop").exists()

    clock.later(WARN_S - STOP_S)
    ended = until_state(root, "busy", "exited")["exit"]
    assert (ended["code"], ended["kind"]) == (75, "stopped")
    assert ended["reason"] == "Stopped: the time of its machine was used up."
    assert (root / "jobs/busy/a0001/checkpoints/step-7").read_text() == "weights"
    assert attempt_json(root, "busy", "stop")["grace_s"] == STOP_S - 20
    assert len(events(root)) == 1

    clock.later(STOP_S - 1)
    wait_for(lambda: int(files_left(root)) == 1)
    assert not clock.is_off
    clock.later(1)
    wait_for(lambda: clock.is_off)
    assert TICK_S <= 30, "a tick is the most that it may be late"


def files_left(root: Path) -> str:
    return (root / "switch/left").read_text().split()[0]


def test_more_time_less_time_and_none(root: Path, clock: Clock) -> None:
    with session(root, env=clock.env) as lane:
        assert lane.request("deadline") == {
            "armed": False, "booted": False, "left_s": None, "idle_s": None, "quiet_s": None, "why": "",
        }  # fmt: skip
        with pytest.raises(HostSaysNoError) as refused:
            lane.request("deadline", left_s=3600)
        assert refused.value.code == "not_armed"
        assert not (root / "switch").exists()
        lane.request("deadline", left_s=3600, arm=True)
        first = int((root / "switch/loop").read_text()) if (root / "switch/loop").exists() else 0
        clock.later(600)
        assert lane.request("deadline")["left_s"] == 3000
        assert lane.request("deadline", left_s=9000, idle_s=1800)["left_s"] == 9000
        assert lane.request("deadline")["idle_s"] == 1800
        assert not first or int((root / "switch/loop").read_text()) == first, "one loop, however often asked"
        gone = lane.request("deadline", disarm=True)
        assert (gone["armed"], gone["left_s"], gone["idle_s"]) == (False, None, None)
        clock.later(100_000)
        wait_for(lambda: files_left(root) == "never")
        for wrong in (-1, 1.5, "900", True):
            with pytest.raises(HostSaysNoError, match="bad_request"):
                lane.request("deadline", left_s=wrong, arm=True)
    assert not clock.is_off


def test_a_switch_that_came_with_the_machine_needs_no_asking(root: Path, clock: Clock) -> None:
    booted = clock.folder / "booted"
    booted.mkdir()
    (booted / "limit").write_text("7200\n")
    (booted / "switch").write_text(switch_script.SCRIPT)
    with session(root, env=clock.env) as lane:
        assert lane.request("deadline")["left_s"] == 7200 - 500
        said = lane.request("deadline", left_s=10_000)
        assert (said["armed"], said["booted"], said["left_s"]) == (True, True, 10_000)
    assert not (root / "switch/switch").exists()
    assert "ending" in (booted / "hook").read_text()


def test_the_hook_finds_a_newer_package(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = root / "host/ffff/cloudtui_host"
    newer.mkdir(parents=True)
    (newer / "__init__.py").touch()
    (newer / "ending.py").write_text(
        f"def main(*words): open({str(tmp_path / 'called')!r}, 'w').write(repr(words))"
    )
    monkeypatch.setattr("cloudtui_host.entry.folder", lambda: "/gone")
    (tmp_path / "hook").write_text(switch.hook(str(root)))
    subprocess.run(["sh", str(tmp_path / "hook"), "warn", "600"], check=True)
    assert (tmp_path / "called").read_text() == repr(("warn", str(root), "600"))


def test_a_container_or_a_user_without_sudo_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDTUI_POWER_OFF", raising=False)
    monkeypatch.setenv("CLOUDTUI_SWITCH", str(tmp_path / "none"))
    monkeypatch.setattr("cloudtui_host.probe.in_container", lambda: True)
    with pytest.raises(switch.HostError, match="container"):
        switch.deadline(str(tmp_path), {"left_s": 60, "arm": True})
    monkeypatch.setattr("cloudtui_host.probe.in_container", lambda: False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("cloudtui_host.tool.output", lambda *_words: None)
    with pytest.raises(switch.HostError, match="may not end the machine"):
        switch.deadline(str(tmp_path), {"left_s": 60, "arm": True})
    assert files.read_json(str(tmp_path / "switch")) is None
    assert not (tmp_path / "switch").exists()
