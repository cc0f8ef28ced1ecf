"""What the catalog knows of machines, turned into intervals that are paid for, and into what runs cost.

All of it is reckoned from rows: when a cloud listed a machine last, when one of the user's own was heard of
last. So it does not matter who writes them, how often, or whether the engine that saw something lived to
account for it.
"""

from __future__ import annotations

import time
from dataclasses import replace

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.money import prices
from cloudtui_engine.money.accrual import Seen, owed
from cloudtui_engine.money.amounts import day_of, ms
from cloudtui_engine.records.instance import VANISHED, Instance


def account(catalog: Catalog, now: float | None = None) -> bool:
    """Turn what is known of machines into intervals that are paid for, and into what runs cost.

    Any number of times; what is accounted for is not looked at again.

    Returns:
        Something was added.
    """
    open_ = catalog.costs.open()
    latest = ms(time.time() if now is None else now)
    fresh = False
    for instance in catalog.instances.list(include_forgotten=True):
        known = instance.id in open_ or (instance.is_rented and catalog.costs.is_known(instance.id))
        if (
            instance.forgotten_at is not None
            and instance.id not in open_
            and (known or not instance.is_rented)
        ):
            continue
        seen = sighting(catalog, instance, known=known)
        if seen is not None:  # what is told of the future is a clock that is wrong
            fresh |= catalog.costs.see(instance.id, replace(seen, at_ms=min(seen.at_ms, latest)))
    return bool(catalog.costs.settle()) or fresh


def sighting(catalog: Catalog, instance: Instance, *, known: bool = True) -> Seen | None:
    """What the catalog's row proves of a machine; None where nothing.

    Args:
        catalog: where it is.
        instance: the machine.
        known: something was paid for it before; else its order says since when it can have been.
    """
    if not instance.is_rented:
        rates = running(catalog, instance)
        worked = catalog.costs.worked_until(instance.id) if rates else None
        at = max((t for t in (instance.seen_at, worked) if t is not None), default=None)
        return None if at is None else Seen(ms(at), rates)
    at = instance.missing_since if instance.cloud_state == VANISHED else instance.cloud_seen_at
    if at is None:
        return None
    ended_by = None if instance.deadline_at is None else ms(instance.deadline_at)
    if known:
        return Seen(ms(at), running(catalog, instance), None, ended_by)
    was = running(catalog, replace(instance, cloud_state="running"))
    return Seen(ms(at), running(catalog, instance), _ordered_at(catalog, instance), ended_by, was)


def running(catalog: Catalog, instance: Instance) -> dict[str, int]:
    """What is paid for a machine as it is now, in micro-dollars an hour."""
    found = price_of(catalog, instance)
    if not instance.is_rented:
        return owed(None, found.rate if found else None)
    return owed(instance.cloud_state, found.rate if found else None, _disk_rate(catalog, instance) or 0)


def is_disk_unpriced(catalog: Catalog, instance: Instance) -> bool:
    """Its disk is paid for, and nobody here knows what: that is told wherever its cost is."""
    there = instance.is_rented and not instance.is_gone
    return there and _disk_rate(catalog, instance) is None


def _disk_rate(catalog: Catalog, instance: Instance) -> int | None:
    stopped = instance.cloud_state == "stopped"
    return prices.disk_rate(instance.provider, disk_gb(catalog, instance), stopped=stopped)


def price_of(catalog: Catalog, instance: Instance) -> prices.Found | None:
    """What a machine costs an hour, and who says so."""
    known = None
    if instance.machine_type and instance.price_usd_per_hour is None:
        known = catalog.prices.find(
            instance.provider, instance.region, instance.machine_type, spot=instance.spot
        )
    found = prices.look_up(
        instance.provider, instance.region, instance.machine_type, instance.spot,
        instance.price_usd_per_hour, known,
    )  # fmt: skip
    if found is not None and found.ground == "yours" and instance.is_rented:
        ground: prices.Ground = "at_launch" if instance.spot else "offered"
        return replace(found, ground=ground, as_of=day_of(ms(instance.created_at)).isoformat())
    return found


def set_price(catalog: Catalog, instance_id: str, usd_per_hour: float | None, now: float) -> None:
    """Say what a machine costs from now on; None: nothing, or nobody knows.

    Whoever prices one of his own has it: up to now it is paid for at the price before. A rented one whose
    price was not known is paid for from its order on.
    """
    with catalog.write("instance"):
        before = catalog.instances.get(instance_id)
        if before.is_rented:  # of which the cloud says whether it is there
            catalog.instances.update(instance_id, price_usd_per_hour=usd_per_hour)
            return
        catalog.costs.see(instance_id, Seen(ms(now), running(catalog, before)))
        catalog.instances.update(instance_id, price_usd_per_hour=usd_per_hour)
        after = catalog.instances.get(instance_id)
        catalog.costs.see(instance_id, Seen(ms(now), running(catalog, after)))


def disk_gb(catalog: Catalog, instance: Instance) -> int:
    """GB of disk that a rented machine was ordered with."""
    return catalog.costs.disk_gb(instance.launch_id) if instance.launch_id else 0


def _ordered_at(catalog: Catalog, instance: Instance) -> int | None:
    """When the request went out that made the machine: before that nothing can have been paid for.

    One that was found without a row was there from when it was first listed.
    """
    if not instance.launch_id:
        return ms(instance.created_at)
    sent = [one.sent_at for one in catalog.launches.attempts(instance.launch_id) if one.sent_at is not None]
    return ms(max(sent)) if sent else None
