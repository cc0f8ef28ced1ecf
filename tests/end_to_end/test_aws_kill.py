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
import time
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
LONGEST_S = 600.0
"""A bound for what hangs, on a machine that has much else to do."""
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


class Lives:
    """Machines that are rented and ended by engines that are killed, and how long one takes that is not."""

    def __init__(self, moto: Moto) -> None:
        self.chance, self._moto, self._longest_s = random.Random(5), moto, 2.5

    def goes_on(self, home: Home, box: Instance, what: str) -> None:
        """An engine that lives until all is done."""
        began = time.monotonic()
        process = engine(home)
        wait_until(lambda: settled(home, box), LONGEST_S, f"{what}\n{home.log()}")
        self._longest_s = time.monotonic() - began
        process.kill()
        process.wait(10)

    def one(self, home: Home) -> str:
        """A machine is rented and ended, each over a kill; the fault that came with it."""
        moto, chance = self._moto, self.chance
        fault = chance.choice(FAULTS)
        if fault:
            moto.fail(fault)
        wish = Wish("aws", "box", "g4dn.xlarge", regions=(REGION,), lifetime_s=3600)
        (box,) = commands.submit_launch(home.catalog(), home.paths, wish)
        killed(home, chance.uniform(0.1, self._longest_s))
        self.goes_on(home, box, "the launch")
        living = [one["id"] for one in moto.machines() if one["costs"]]
        row = home.catalog().instances.get(box.id)
        assert living == [row.cloud_id], f"{fault}: {living}, known is {row.cloud_id}\n{home.log()}"

        commands.submit_terminate(home.catalog(), row)
        killed(home, chance.uniform(0.1, self._longest_s))
        self.goes_on(home, box, "the end")
        assert moto.count() == 0
        assert home.catalog().orphans.list() == []
        return str(fault)


def test_engines_killed_at_any_instant(moto: Moto, tmp_path: Path) -> None:
    lives = Lives(moto)
    told: Counter[str] = Counter()
    for number in range(ROUNDS):
        moto.reset()
        folder = tmp_path / f"laptop{number}"
        folder.mkdir()
        told[lives.one(Home(folder / "home", moto.environment))] += 1
        print(f"{2 * (number + 1)} kills", flush=True)
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
