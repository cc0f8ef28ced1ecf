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
from cloudtui_engine.kept import Kept
from cloudtui_engine.records.instance import NOTICED, Instance
from cloudtui_engine.records.launch import Wish
from cloudtui_engine.records.operation import OperationState

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


def test_a_model_is_trained_there_until_the_deadline_stops_it_and_a_person_ends_it(
    home: Home, moto: Moto
) -> None:
    box = launch(home, name="box", lifetime_s=3600)
    train(home, "--set", "epochs=1", "--follow")
    run = home.json("run", "show", "mine")
    assert run["status"] == "succeeded"
    assert run["metrics"]["test/accuracy"]["last"] > 0.5
    wait_until(lambda: all(one["local"] for one in artifacts(home)), 90, f"the model\n{home.log()}")
    home.json("instance", "deadline", "box", "12s")
    wait_until(lambda: row(home, box).cloud_state == "stopped", 120, f"the deadline\n{home.log()}")
    assert moto.machines()[0]["disks"], "its disk stays"
    answer = home.run("--json", "instance", "terminate", "box", "--yes", "--follow")
    assert answer.status == 0, answer.out + answer.err + home.log()
    assert moto.count() == 0
    assert {"deadline"} <= {one.kind for one in home.catalog().notices.since(0)[1]}


@pytest.mark.timeout(600)
def test_a_run_goes_on_from_its_checkpoint_when_its_spot_machine_is_taken_back(
    home: Home, moto: Moto
) -> None:
    first = launch(home, name="box", lifetime_s=7200, spot=True)
    train(home, "--set", "epochs=100000", "--set", "checkpoint_every_steps=5")
    run = str(home.json("run", "show", "mine")["id"])
    kept = Kept(home.paths, run)
    wait_until(kept.newest, 200, f"a checkpoint here\n{home.log()}")

    moto.notice(row(home, first).cloud_id, "soon")
    wait_until(lambda: row(home, first).cloud_reason == NOTICED, 90, f"the notice\n{home.log()}")
    assert "taken soon" in home.run("instance", "list").out
    saved = wait_until(lambda: brought(home, run), 120, f"that it saved itself\n{home.log()}")
    assert saved == step(kept) >= home.catalog().runs.get(run).progress["step"], "nothing is lost"
    second = after(home, moto, first, run, 2)
    assert row(home, second).zone != row(home, first).zone
    assert home.catalog().runs.attempt(run, 2).from_step == saved

    # And without a word: what was done since the newest checkpoint that is here is lost, and said to be.
    wait_until(lambda: step(kept) > saved, 200, f"a checkpoint of the second\n{home.log()}")
    third = after(home, moto, second, run, 3)
    attempts = home.catalog().runs.attempts(run)
    assert [str(one.state) for one in attempts[:2]] == ["stopped", "lost"]
    assert "Its checkpoint of step" in attempts[1].reason
    assert attempts[2].from_step == step_of_event(home, run) > saved
    points = home.catalog().metrics.series(run, ["train/loss"])[0]
    assert list(points.steps) == sorted(set(points.steps)), "one curve, no step twice"
    assert [one["state"] for one in moto.machines() if one["costs"]] == ["running"]
    home.json("run", "stop", run)
    commands.submit_terminate(home.catalog(), row(home, third), unpulled=[run])
    home.json("instance", "probe", "local")
    wait_until(lambda: moto.count() == 0, 120, f"the end\n{home.log()}")


def train(home: Home, *words: str) -> None:
    """A training of digits on the box, begun once the box answers."""
    home.json("dataset", "add", "digits", "digits")
    wait_until(lambda: home.catalog().instances.find("box").link_state == "up", 120, f"a link\n{home.log()}")
    few = ("--set", "threads=1", "--set", "batch_size=200", "--set", "device=cpu")
    start = ("run", "start", "--dataset", "digits", "--on", "box", "--name", "mine")
    answer = home.run("--json", *start, *few, *words, timeout=200)
    assert answer.status == 0, answer.out + answer.err + home.log()


def artifacts(home: Home) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.json("run", "show", "mine")["artifacts"]
    return found


def step(kept: Kept) -> int:
    newest = kept.newest()
    return newest.step or 0 if newest else 0


def brought(home: Home, run: str) -> int:
    """The step of what the first attempt left, once it has ended and all of that is here; 0 before."""
    every = home.catalog().operations.list(states=(OperationState.DONE,))
    return next((int(one.result["step"]) for one in every if one.key == f"run.keep:{run}:1"), 0)


def after(home: Home, moto: Moto, before: Instance, run: str, number: int) -> Instance:
    """The machine on which a run goes on once the one before was taken back; its engine dies over it."""
    home.kill_engine()
    moto.take_back(row(home, before).cloud_id)
    home.json("instance", "probe", "local")

    def goes_on() -> bool:
        now = home.catalog().runs.get(run)
        return now.attempt == number and home.catalog().runs.attempt(run, number).from_step is not None

    wait_until(goes_on, 200, f"attempt {number}\n{home.log()}")
    return home.catalog().instances.get(home.catalog().runs.attempt(run, number).instance_id)


def step_of_event(home: Home, run: str) -> int:
    """The step that the run was last said to go on from."""
    said = [one.text for one in home.catalog().events.list(run) if one.name == "goes_on"][-1]
    return int(said.partition("of step ")[2].split()[0])


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
