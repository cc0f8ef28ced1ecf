"""A month of money, on the machines of `seed.story`: two own ones, one rented and one that is gone."""

from __future__ import annotations

import random
from pathlib import Path

from tests.support import seed

from cloudtui_engine import bookkeeping
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.money.accrual import MACHINE, Seen
from cloudtui_engine.money.amounts import micro, ms
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.launch import Launch, LaunchState, Wish

HOUR = 3600.0
DAY = 24 * HOUR


def work_days(catalog: Catalog, instance_id: str, rate: float, days: int, seed_: int, now: float) -> None:
    """A machine that was there for some hours of most days."""
    noise = random.Random(seed_)
    for day in range(days, 0, -1):
        hours = noise.choice([0, 1.5, 4, 7, 9])
        begin = now - day * DAY + 2 * HOUR
        for minute in range(0, int(hours * 60) + 1, 4):
            seen = Seen(ms(begin + minute * 60), {MACHINE: micro(rate)})
            catalog.costs.see(instance_id, seen)
        catalog.costs.see(instance_id, Seen(ms(begin + hours * HOUR), {}))


def month(home: Path, now: float = seed.NOW) -> Catalog:
    """The catalog of the Cost area's pictures."""
    return spend(seed.story(home, now).catalog, now)


def spend(catalog: Catalog, now: float = seed.NOW) -> Catalog:
    """A month of money for the machines of a story."""
    box1, box3 = "c0000000000box01", "c0000000000box03"
    with catalog.write("cost"):
        work_days(catalog, box1, 1.10, 20, 1, now)
        work_days(catalog, box3, 0.75, 27, 2, now)
        for at in (now - 5 * HOUR, now - 3 * HOUR, *(now - 3 * HOUR + 240 * n for n in range(46))):
            catalog.costs.see(box1, Seen(ms(min(at, now - 2)), {MACHINE: micro(1.10)}))
    wish = Wish("aws", type="g5.xlarge", disk_gb=200, lifetime_s=4 * 3600)
    rented = Instance(
        "c0000000000gpu01", "gpu-1", "aws", Address("203.0.113.9", "ubuntu"), cloud_state="running",
        price_usd_per_hour=None, created_at=now - HOUR, cloud_id="i-0a1", region="us-east-1",
        machine_type="g5.xlarge", launch_id="c00000000launch1", deadline_at=now + 3 * HOUR,
        cloud_seen_at=now - HOUR,
    )  # fmt: skip
    catalog.instances.add(rented)
    launch = Launch("c00000000launch1", "c00000000launch1", rented.id, "aws", wish, created_at=now - HOUR)
    catalog.launches.add(launch)
    catalog.launches.move(launch.id, LaunchState.READY, expected=[LaunchState.OPEN], ended_at=now - HOUR)
    for at in [now - HOUR + 120 * n for n in range(30)] + [now - 20]:
        catalog.instances.update(rented.id, cloud_seen_at=at)
        bookkeeping.account(catalog, now)
    while catalog.costs.settle():
        pass
    catalog.settings.set("budget.month", micro(300))
    catalog.settings.set("budget.day", micro(12))
    return catalog
