"""SIGKILL to real engines that rent and end machines of AWS, at any instant: none is lost, none is doubled.

The checkpoints one by one are tests/engine/fleet/test_kill_points.py; here nobody knows when it comes.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.providers.contract_means import planned
from tests.support.clouds.faults import Fault
from tests.support.clouds.moto_sshd import REGION, Moto
from tests.support.home import Home, wait_until

from cloudtui_engine.fleet import commands
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Wish
from cloudtui_providers.base import Payload
from cloudtui_providers.errors import AmbiguousError

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(0)]
ROUNDS = int(os.environ.get("CLOUDTUI_ROUNDS", "100"))
LOST = int(os.environ.get("CLOUDTUI_LOST", "1000"))
AT_ONCE = 50
FAULTS = (None, Fault.LOSE_ANSWER, Fault.CAPACITY, Fault.BROKEN, Fault.THROTTLE)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto(tmp_path_factory.mktemp("moto")) as cloud:
        yield cloud


def engine(home: Home) -> subprocess.Popen[bytes]:
    with (home.paths.home.parent / "engine.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "cloudtui_engine"], env=home.env, stdout=log, stderr=log
        )


def killed(home: Home, after_s: float) -> None:
    """An engine that lives for so long, its start included."""
    process = engine(home)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    process.kill()
    process.wait(10)


def settled(home: Home, instance: Instance) -> bool:
    """Whether nothing is left to be done for it."""
    row = home.catalog().instances.get(instance.id)
    launch = home.catalog().launches.get(instance.launch_id)
    return launch.state != "open" and (row.wanted != "terminated" or row.cloud_state == "terminated")


def one_life(home: Home, moto: Moto, chance: random.Random) -> str:
    """A machine is rented and ended, each over a kill; how many there were when it was rented."""
    fault = chance.choice(FAULTS)
    if fault:
        moto.fail(fault)
    wish = Wish("aws", "box", "g4dn.xlarge", regions=(REGION,), lifetime_s=3600)
    (box,) = commands.submit_launch(home.catalog(), home.paths, wish)
    killed(home, chance.uniform(0.4, 2.5))
    goes_on = engine(home)
    wait_until(lambda: settled(home, box), 60, f"the launch\n{home.log()}")
    living = [one["id"] for one in moto.machines() if one["costs"]]
    row = home.catalog().instances.get(box.id)
    assert living == [row.cloud_id], f"{fault}: {living}, known is {row.cloud_id}\n{home.log()}"
    goes_on.kill()
    goes_on.wait(10)

    commands.submit_terminate(home.catalog(), row)
    killed(home, chance.uniform(0.4, 2.5))
    goes_on = engine(home)
    wait_until(lambda: settled(home, box), 60, f"the end\n{home.log()}")
    goes_on.kill()
    goes_on.wait(10)
    assert moto.count() == 0
    assert home.catalog().orphans.list() == []
    return str(fault)


def test_engines_killed_at_any_instant(moto: Moto, tmp_path: Path) -> None:
    chance = random.Random(5)
    told: Counter[str] = Counter()
    for number in range(ROUNDS):
        moto.reset()
        folder = tmp_path / f"laptop{number}"
        folder.mkdir()
        told[one_life(Home(folder / "home", moto.environment), moto, chance)] += 1
    print(json.dumps({"kills": 2 * ROUNDS, "orphans": 0, "doubles": 0, "faults": told}))


def test_lost_answers(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    moto.reset()
    plan = planned(moto.provider, moto.order())
    made = 0
    for begun in range(0, LOST, AT_ONCE):  # moto looks through all that there ever were
        moto.reset()
        for number in range(begun, min(begun + AT_ONCE, LOST)):
            _lose_one(moto, plan, f"lost-{number}")
        made += len(moto.machines())
        assert moto.count() == 0
    assert made == LOST
    print(json.dumps({"lost answers": LOST, "doubles": made - LOST}))


def _lose_one(moto: Moto, plan: Payload, token: str) -> None:
    request = {**plan["request"], "ClientToken": token, "TagSpecifications": _tagged(plan, token)}
    payload = {**plan, "request": request}
    moto.fail(Fault.LOSE_ANSWER)
    with pytest.raises(AmbiguousError):
        moto.provider.launch(payload)
    found = moto.provider.find(payload)
    assert found
    assert moto.provider.launch(payload).id == found.id
    moto.provider.terminate(REGION, found.id)


def _tagged(plan: Payload, token: str) -> Any:
    """The marks of another order."""
    return json.loads(json.dumps(plan["request"]["TagSpecifications"]).replace("claunch1-1", token))
