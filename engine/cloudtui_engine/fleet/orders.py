"""From a wish to what a provider is asked: offers, and the order of one request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cloudtui_engine import accounts
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import boot, installation, trust, trusting
from cloudtui_engine.fleet.attempts import Candidate
from cloudtui_engine.fleet.means import Means
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, Wish
from cloudtui_providers.base import Order, Payload, Provider, Wanted


def wanted(wish: Wish, *, spot: bool) -> Wanted:
    """The question for offers."""
    # Of those in the place of spot ones the dearer are asked for, too: who has to be told what they cost.
    most = wish.max_price if spot or not wish.spot else None
    return Wanted(
        gpu=wish.gpu, type=wish.type, regions=wish.regions, max_price=most, spot=spot, disk_gb=wish.disk_gb
    )


def promised(catalog: Catalog, wish: Wish, place: Candidate) -> float | None:
    """What a machine there may cost, US dollars an hour, by which budgets are asked; None: nobody knows."""
    limit = wish.max_price if place.spot or not wish.spot else wish.on_demand_cap
    price = place.price
    if price is None:
        price = accounts.listed(catalog, wish.provider, place.region, place.type, spot=place.spot)
    elif place.spot:
        price = math.ceil(price * 1000) / 1000  # the finest bid that all clouds take
    return min((one for one in (price, limit) if one is not None), default=None)


def _most(catalog: Catalog, wish: Wish, place: Candidate) -> float | None:
    """The limit of a request. A bid for spot leaves room, unless a budget was promised less."""
    if place.spot and not accounts.has_budget(catalog):
        return wish.max_price
    return promised(catalog, wish, place)


def order(
    means: Means, cloud: Provider, launch: Launch, instance: Instance, *, number: int, place: Candidate
) -> tuple[Order, str]:
    """The order of one request, and the host key that its machine will show; empty where it makes its own."""
    wish = launch.wish
    lifetime_s = 0 if instance.deadline_at is None else max(1, int(instance.deadline_at - means.clock.now()))
    can = cloud.capabilities
    authorized, host_key, user_data, command = trust.authorized_key(means.paths), "", "", ""
    if can.user_data:
        pair = trust.new_host_key()
        idle_s = wish.idle_s if can.power_off_ends else 0
        user_data = boot.user_data(
            pair, authorized, lifetime_s=lifetime_s, idle_s=idle_s, ends=can.power_off_ends
        )
        host_key = pair.public
    elif can.containers:
        command = boot.start_command(authorized, lifetime_s=lifetime_s)
    made = Order(
        launch=launch.id,
        attempt=number,
        name=instance.name,
        owner=installation.ensure(means.catalog, means.paths),
        type=place.type,
        region=place.region,
        zone=place.zone,
        spot=place.spot,
        max_price=_most(means.catalog, wish, place),
        disk_gb=wish.disk_gb,
        image=wish.image,
        public_key=authorized,
        user_data=user_data,
        start_command=command,
        ssh_from=tuple(wish.ssh_from),
        deadline=_rfc3339(_by_cloud(means, instance)),
        lifetime_s=lifetime_s,
        power_off_stops=can.stop and not place.spot,
    )
    return made, host_key


def with_payload(attempt: LaunchAttempt, payload: Payload) -> LaunchAttempt:
    """The request, ready to be written down."""
    return replace(attempt, payload=dict(payload))


def refused(attempt: LaunchAttempt, error: Mapping[str, Any], now: float) -> LaunchAttempt:
    """The request that could not even be prepared."""
    return replace(attempt, state=AttemptState.REFUSED, error=error, resolved_at=now)


def _by_cloud(means: Means, instance: Instance) -> float | None:
    """A cloud that ends machines at a moment goes by its own clock."""
    at = instance.deadline_at
    return None if at is None else trusting.by_cloud(instance.provider, at, means.clock)


def _rfc3339(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
