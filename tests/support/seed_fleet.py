"""Rented machines in every state: for tests of the faces, beside what `seed` has."""

from __future__ import annotations

from dataclasses import replace

from tests.support.seed import NOW

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.cloud import OFFERS, CloudOffer
from cloudtui_engine.records.instance import Address, Instance, LinkState
from cloudtui_engine.records.launch import (
    AttemptState,
    Launch,
    LaunchAttempt,
    LaunchState,
    Listing,
    Orphan,
    Wish,
)

GIB = 1 << 30
AWAY = Address("198.51.100.7", "ubuntu")
CAPACITY = {
    "code": "capacity",
    "message": "None to be had: g5.xlarge in us-east-1a. The cloud has none of these machines now.",
    "hint": "Try another region, zone or type, or later.",
}
QUOTA = {
    "code": "quota",
    "message": "The account may have no more of these machines in us-east-1.",
    "hint": "Ask AWS for more: Service Quotas, L-DB2E81BA.",
}


def rented(catalog: Catalog, now: float = NOW) -> list[Instance]:
    """One that is ready, stopped, pending, asked for, silent cloud, and one that failed."""
    catalog.settings.set("installation.id", "c0ffee")
    base = Instance(
        "crent00000ready0", "train-1", "aws", AWAY, cloud_state="running", link_state=LinkState.UP,
        link_since=now - 900, price_usd_per_hour=1.10, seen_at=now - 2, created_at=now - 3000,
        cloud_id="i-0a1", region="us-east-1", zone="us-east-1b", machine_type="g5.xlarge",
        deadline_at=now + 11_400, cloud_seen_at=now - 20, launch_id="lready", looked_at=now - 2,
        gpus=({"index": 0, "name": "A10G", "memory_bytes": 24_000_000_000,
               "memory_used_bytes": 9_000_000_000, "utilization": 71, "processes": []},),
    )  # fmt: skip
    found = [
        _one(catalog, base, LaunchState.READY, AttemptState.ADOPTED),
        _one(
            catalog,
            _like(base, "stopped", cloud_state="stopped", wanted="stopped", cloud_id="i-0a2"),
            LaunchState.READY, AttemptState.ADOPTED,
        ),
        _one(
            catalog,
            _like(base, "pending", cloud_state="pending", cloud_id="i-0a3", address=Address(),
                  created_at=now - 42),
            LaunchState.ADOPTED, AttemptState.ADOPTED,
        ),
        _one(
            catalog,
            _like(base, "asked", cloud_state=None, cloud_id="", region="", zone="", address=Address(),
                  created_at=now - 7, cloud_seen_at=None),
            LaunchState.OPEN, AttemptState.SENT,
        ),
        _one(
            catalog,
            _like(base, "taken", cloud_state="terminated", cloud_reason="preempted", spot=True,
                  cloud_id="i-0a4", created_at=now - 7200),
            LaunchState.READY, AttemptState.ADOPTED,
        ),
    ]  # fmt: skip
    failed = _like(base, "failed", cloud_state=None, cloud_id="", address=Address(), region="", zone="")
    failed = _one(catalog, failed, LaunchState.FAILED, AttemptState.REFUSED, error=CAPACITY)
    catalog.instances.forget(failed.id, now - 300)
    catalog.listings.save(Listing("aws", "us-east-1", now - 20, complete=True))
    return [*found, failed]


def _like(base: Instance, name: str, **fields: object) -> Instance:
    more = {"link_state": LinkState.DOWN, "link_since": None, "gpus": (), "seen_at": None, **fields}
    made = replace(base, id=f"crent{name:0<11.11}", name=f"box-{name}", launch_id=f"l{name}")
    return replace(made, **more)  # type: ignore[arg-type]


def _one(
    catalog: Catalog,
    instance: Instance,
    state: LaunchState,
    attempt: AttemptState,
    error: dict[str, str] | None = None,
) -> Instance:
    added = catalog.instances.add(instance)
    wish = Wish("aws", instance.name, "g5.xlarge", regions=("us-east-1",), lifetime_s=14_400)
    at = instance.created_at
    over = state not in {LaunchState.OPEN, LaunchState.ADOPTED}
    launch = Launch(
        instance.launch_id, instance.launch_id, instance.id, "aws", wish, state, error or {}, at,
        NOW - 300 if over else None,
    )  # fmt: skip
    catalog.launches.add(launch)
    refused = LaunchAttempt(
        launch.id, 1, "us-east-1", "us-east-1a", "g5.xlarge", price=1.10, state=AttemptState.REFUSED,
        error=CAPACITY, planned_at=at, sent_at=at + 1, resolved_at=at + 2,
    )  # fmt: skip
    catalog.launches.plan(refused)
    if attempt is not AttemptState.REFUSED:
        second = replace(
            refused, number=2, zone="us-east-1b", state=attempt, machine_id=instance.cloud_id, error={},
            planned_at=at + 2, sent_at=at + 3, resolved_at=at + 5 if instance.cloud_id else None,
        )  # fmt: skip
        catalog.launches.plan(second)
    return added


def orphans(catalog: Catalog, now: float = NOW) -> None:
    """Two machines that nothing speaks of."""
    for name, kind, price, age in (
        ("i-0dead1", "g5.xlarge", 1.006, 7200),
        ("i-0dead2", "t3.small", None, 300),
    ):
        catalog.orphans.save(
            Orphan("aws", "us-east-1", name, "", f"old-{kind[:2]}", kind, False, "running", AWAY, price,
                   now - age, now - 20)
        )  # fmt: skip


def offers(catalog: Catalog, name: str = "aws", spot: bool = False) -> None:
    """What clouds answered a moment ago."""
    from cloudtui.handlers.provider import question

    made = [
        CloudOffer(
            name,
            region,
            f"{region}a",
            kind,
            gpu,
            count,
            memory * GIB,
            cpus,
            32 * GIB,
            price,
            spot,
            zones=(f"{region}a", f"{region}b"),
        )
        for kind, gpu, count, memory, cpus, price in (
            ("t3.medium", "", 0, 0, 2, 0.0416),
            ("g4dn.xlarge", "T4", 1, 16, 4, 0.526),
            ("g5.xlarge", "A10G", 1, 24, 4, 1.006),
            ("p4d.24xlarge", "A100", 8, 40, 96, 32.77),
        )
        for region in ("us-east-1", "us-west-2")
    ]
    one = catalog.operations.submit(OFFERS, "", question(spot=spot))
    catalog.operations.take(one.id)
    catalog.operations.finish(one.id, {"offers": [each.as_dict() for each in made], "problems": []})
