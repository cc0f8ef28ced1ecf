"""The switch's own script, with a clock that is turned by hand and a power-off that is written down."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.host.lane import wait_for

from cloudtui_host import switch_script
from cloudtui_host.switch_script import AGAIN_S, STOP_S, TICK_S, WARN_S

DAY_S = 86400


class Machine:
    """A machine of which only the switch is real."""

    def __init__(self, folder: Path, left: int) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.folder = folder
        self.up = 100
        self.wall = 1_800_000_000
        self.boot = 1
        self.born = 0
        (self.state / "switch").write_text(switch_script.SCRIPT)
        (self.state / "power-off").write_text(f"echo $1 >> {folder}/off\n")
        (self.state / "hook").write_text(f'echo "$*" >> {folder}/hooks\n')
        (self.state / "limit").write_text(f"{left + self.up}\n")
        tools = folder / "bin"
        tools.mkdir()
        for name, text in (("wall", f'echo "$1" >> {folder}/walls'), ("date", f"cat {folder}/wall")):
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)
        self.env = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "CLOUDTUI_UPTIME": str(folder / "uptime"),
            "CLOUDTUI_BOOT_ID": str(folder / "boot"),
            "CLOUDTUI_INIT": str(folder / "init"),
        }

    def call(self, *words: str, given: str = "") -> str:
        (self.folder / "uptime").write_text(f"{self.born + self.up}.37 12345.00\n")
        (self.folder / "init").write_text(f"1 (the (init)) S {'0 ' * 18}{self.born * 100} 170000 0\n")
        (self.folder / "boot").write_text(f"boot-{self.boot}\n")
        (self.folder / "wall").write_text(f"{self.wall}\n")
        done = subprocess.run(
            ["sh", str(self.state / "switch"), str(self.state), *words],
            env=self.env, input=given, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        assert done.returncode == 0 or words == ("show",)
        return done.stdout.strip()

    def later(self, seconds: int) -> None:
        """Time goes by, with one tick at its end: ticks in between only write down what is so anyway."""
        self.up += seconds
        self.wall += seconds
        self.call("tick")

    def restart(self, off_s: int = 30, up_s: int = 20) -> None:
        self.boot += 1
        self.wall += off_s + up_s
        self.up = up_s
        self.call("tick")

    @property
    def left(self) -> int:
        return int(self.call("show"))

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def hooks(self) -> list[str]:
        """What the hook was called with; the script does not wait for it."""
        self.until_hooks(1)
        return self.lines("hooks")

    def until_hooks(self, count: int) -> None:
        wait_for(lambda: len(self.lines("hooks")) >= count)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, left=3600)


def test_it_warns_then_has_jobs_saved_then_ends_the_machine(machine: Machine) -> None:
    machine.later(3600 - WARN_S - 1)
    assert not machine.lines("walls")
    machine.later(2)
    assert "ends in 599 seconds" in machine.lines("walls")[0]
    assert machine.hooks() == ["warn 599"]
    machine.later(WARN_S - STOP_S)
    machine.later(TICK_S)
    machine.until_hooks(3)
    # Nobody waits for the hook, so its calls may come in any order.
    assert set(machine.hooks()) == {"warn 599", f"stop {STOP_S - 1}", f"stop {STOP_S - 1 - TICK_S}"}
    assert not machine.lines("off")
    machine.later(STOP_S - TICK_S)
    assert machine.lines("off") == ["0"]
    machine.later(TICK_S)
    assert machine.lines("off") == ["0", "1"], "a machine that does not end is ended again"


def test_a_wrong_date_changes_nothing(machine: Machine) -> None:
    machine.later(15)
    machine.wall += 3 * DAY_S
    machine.later(15)
    assert machine.left == 3570
    machine.wall -= 6 * DAY_S
    machine.later(3540)
    assert machine.left == 30
    assert not machine.lines("off")


def test_a_restart_gives_no_time(machine: Machine) -> None:
    machine.later(1000)
    machine.restart(off_s=40, up_s=20)
    assert machine.left == 3600 - 1000 - 40 - 20
    machine.later(2539)
    assert not machine.lines("off")
    machine.later(2)
    assert machine.lines("off") == ["0"]


def test_a_container_counts_from_its_own_beginning(machine: Machine) -> None:
    machine.born = 40 * DAY_S
    machine.later(1000)
    assert machine.left == 2600
    machine.boot -= 1
    machine.born += 1050
    machine.restart(off_s=30, up_s=20)
    assert machine.left == 2600 - 50, "begun again on the same host"


def test_a_date_that_jumps_at_a_restart_costs_two_minutes_at_most(machine: Machine) -> None:
    machine.later(1000)
    machine.wall += 400
    machine.restart(off_s=0, up_s=20)
    assert machine.left == 3600 - 1000 - 120 - 20
    machine.wall -= 3 * DAY_S
    machine.restart(off_s=0, up_s=20)
    assert machine.left == 3600 - 1000 - 120 - 20 - 20


def test_a_machine_that_was_ended_and_is_started_again_can_be_given_time(machine: Machine) -> None:
    machine.later(3601)
    assert machine.lines("off") == ["0"]
    machine.restart(off_s=30, up_s=20)
    assert machine.left == AGAIN_S - 20
    assert len(machine.lines("off")) == 1
    machine.restart(off_s=30, up_s=20)
    assert machine.left == AGAIN_S - 20 - 50, "a second restart is none after an end"
    machine.call("set", "7200")
    machine.later(100)
    assert machine.left == 7100


def test_a_machine_that_others_ended_has_that_time_once(machine: Machine) -> None:
    machine.later(3590)
    machine.restart(off_s=40, up_s=20)  # the cloud stopped it, a moment before its own switch would have
    assert machine.left == AGAIN_S - 20
    machine.later(AGAIN_S - 30)
    machine.restart(off_s=40, up_s=20)
    assert len(machine.lines("off")) == 1, "one that restarts again and again is ended"
    machine.restart(off_s=40, up_s=20)
    machine.call("set", "100")
    machine.later(90)
    machine.restart(off_s=40, up_s=20)
    assert machine.left == AGAIN_S - 20, "somebody has given it time since: it is not left to itself"


def test_more_time_is_given_while_it_warns(machine: Machine) -> None:
    machine.later(3500)
    assert machine.hooks()
    machine.call("set", "9000")
    assert machine.left == 9000
    machine.later(100)
    assert machine.left == 8900
    machine.later(8350)
    assert machine.left == 550
    assert len(machine.lines("walls")) == 2, "it warns before the new end, too"


def test_a_wish_beside_a_tick_is_not_lost(machine: Machine) -> None:
    machine.later(15)
    machine.call("set", "5000")
    (machine.state / "wish").rename(machine.state / "taken")  # a tick that was killed here
    machine.call("set", "8000")
    machine.later(15)
    assert machine.left == 7985
    machine.later(15)
    assert machine.left == 7970


def test_disarmed(machine: Machine) -> None:
    machine.call("never")
    machine.later(10 * DAY_S)
    assert machine.call("show") == "never"
    assert not machine.lines("walls") + machine.lines("off")


@pytest.mark.parametrize("torn", ["", "35", "abc x y z", "3500 boot-1"])
def test_a_torn_file_disarms_nothing(machine: Machine, torn: str) -> None:
    machine.call("set", "5000")
    machine.later(100)
    (machine.state / "left").write_text(torn)
    machine.later(100)
    assert machine.left == 4800
    assert not machine.lines("off")


def test_a_quiet_machine_ends_and_a_restart_forgets_the_quiet(machine: Machine) -> None:
    machine.call("idle", "1800")
    (machine.state / "hook").write_text(f'echo "$*" >> {machine.folder}/hooks; exit 10\n')
    machine.later(15)
    assert machine.hooks() == ["look 1800"]
    wait_for((machine.state / "quiet").exists)
    kept = (machine.state / "quiet").read_text()
    machine.later(15)
    assert machine.lines("off") == ["0"]
    assert "nothing was done on it for 30 minutes" in machine.lines("walls")[0]
    (machine.state / "quiet").write_text(kept)
    machine.restart()
    assert machine.lines("off") == ["0"]


def test_without_a_limit_of_any_kind_it_does_nothing(machine: Machine) -> None:
    (machine.state / "limit").unlink()
    machine.later(DAY_S)
    assert machine.call("show") == ""
    assert not machine.lines("off")
