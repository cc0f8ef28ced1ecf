"""AWS on loopback, from the wish to the end: a real engine, EC2 by moto, a real sshd behind each instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.clouds.faults import Fault
from tests.support.clouds.moto_sshd import REGION, Moto
from tests.support.home import Home, wait_until

from cloudtui_engine.fleet import commands
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Wish

pytestmark = [pytest.mark.sshd, pytest.mark.services, pytest.mark.timeout(300)]


@pytest.fixture
def moto(sshd_here: None, tmp_path: Path) -> Iterator[Moto]:
    with Moto(tmp_path / "moto", hosts=True) as cloud:
        yield cloud


@pytest.fixture
def home(moto: Moto, tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "laptop" / "home", moto.environment)
    yield made
    made.close()


def launch(home: Home, **wish: Any) -> Instance:
    """A machine is asked for; an engine is there and goes on by itself."""
    wanted = Wish("aws", type="g4dn.xlarge", regions=(REGION,), **wish)
    (made,) = commands.submit_launch(home.catalog(), home.paths, wanted)
    home.json("instance", "probe", "local")
    return made


def row(home: Home, instance: Instance) -> Instance:
    return home.catalog().instances.get(instance.id)


def up(home: Home, instance: Instance) -> bool:
    now = row(home, instance)
    return (now.cloud_state, now.link_state) == ("running", "up")


def test_launched_trusted_used_and_ended(home: Home, moto: Moto) -> None:
    box = launch(home, name="box", lifetime_s=3600)
    wait_until(lambda: up(home, box), 60, f"a link to the machine\n{home.log()}")
    answer = home.run("--json", "run", "script", "--on", "box", "--follow", "--", "sh", "-c", "echo here")
    assert answer.status == 0, answer.out + answer.err + home.log()
    commands.submit_terminate(home.catalog(), row(home, box), unpulled=[answer.json["id"]])
    home.json("instance", "probe", "local")
    wait_until(lambda: row(home, box).cloud_state == "terminated", 60, f"the end\n{home.log()}")
    assert moto.count() == 0


def test_a_lost_answer_and_a_full_zone_and_a_killed_engine_leave_one_machine(home: Home, moto: Moto) -> None:
    moto.fail(Fault.CAPACITY)
    moto.fail(Fault.LOSE_ANSWER)
    box = launch(home, name="box", lifetime_s=3600)
    wait_until(lambda: moto.count() == 1, 30, f"the machine whose answer was lost\n{home.log()}")
    home.kill_engine()
    home.json("instance", "probe", "local")
    wait_until(lambda: up(home, box), 60, f"a link to the machine\n{home.log()}")
    (machine,) = moto.machines()
    assert (machine["id"], moto.launches()) == (row(home, box).cloud_id, 2)
    assert row(home, box).zone != f"{REGION}a", "the first zone had none"


def test_the_deadline_powers_it_off_with_the_laptop_gone_and_keeps_its_disk(home: Home, moto: Moto) -> None:
    box = launch(home, name="box", lifetime_s=15)
    wait_until(lambda: row(home, box).cloud_state == "running", 60, f"the machine\n{home.log()}")
    home.kill_engine()
    wait_until(lambda: moto.machines()[0]["state"] == "stopped", 60, "the machine's own end")
    home.json("instance", "probe", "local")
    wait_until(lambda: row(home, box).cloud_state == "stopped", 60, f"that it is known\n{home.log()}")
    assert moto.machines()[0]["disks"], "what was not pulled is still there"


def test_a_spot_machine_that_is_taken_back_is_told(home: Home, moto: Moto) -> None:
    box = launch(home, name="box", lifetime_s=3600, spot=True)
    wait_until(lambda: up(home, box), 60, f"a link to the machine\n{home.log()}")
    assert row(home, box).spot
    moto.take_back(row(home, box).cloud_id)
    commands.submit_look(home.catalog(), "aws")
    wait_until(lambda: row(home, box).cloud_reason == "preempted", 90, f"that it is known\n{home.log()}")
