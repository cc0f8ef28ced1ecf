"""On-demand machines where no spot one is to be had: up to which price, and what a person is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloudtui_engine import accounts
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet.attempts import matches
from cloudtui_engine.money import prices
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, LaunchState, Wish
from cloudtui_providers.base import Offer


def known_prices(catalog: Catalog, offers: Iterable[Offer]) -> dict[Offer, float]:
    """What is known here of offers without a price: some clouds tell none. US dollars an hour."""
    found: dict[Offer, float] = {}
    for one in offers:
        if one.price_usd_per_hour is not None:
            continue
        said = catalog.prices.find(one.provider, one.region, one.type, spot=one.spot)
        price = prices.look_up(one.provider, one.region, one.type, one.spot, None, said)
        if price is not None:
            found[one] = dollars(price.rate)
    return found


def why_not(wish: Wish, on_demand: Iterable[Offer], known: Mapping[Offer, float]) -> str:
    """Why no on-demand machine is taken in the place of a spot one; empty: one may be."""
    if not wish.spot:
        return ""
    if wish.on_demand_cap is None:
        return "One on demand is not taken: up to which price, nobody has said."
    limit = f"your limit of ${wish.on_demand_cap:.2f}"
    there = [one for one in on_demand if matches(wish, one)]
    costs = [price for one in there if (price := price_of(one, known)) is not None]
    if not there:
        return "Its cloud offers none on demand."
    if not costs:
        return f"What one costs on demand is not known, so it may be above {limit} an hour."
    if min(costs) > wish.on_demand_cap:
        return f"On demand it costs ${min(costs):.2f} an hour, above {limit}."
    return ""


def way(name: str, *, waits: bool) -> str:
    """What a person does who wants one on demand."""
    if waits:
        return f"To take one on demand: cloudtui instance replace {name} --on-demand-cap USD"
    return "To take one on demand up to a price: --on-demand-cap USD"


def tell(catalog: Catalog, launch: Launch, instance: Instance, why: str) -> None:
    """None is to be had for now; told once for each limit that a person has set."""
    text = f"so far. {why} It is asked for again every few minutes. {way(instance.name, waits=True)}"
    catalog.notices.tell("launch", f"waits:{launch.id}:{launch.wish.on_demand_cap}", instance.name, text)


def price_of(offer: Offer, known: Mapping[Offer, float]) -> float | None:
    """US dollars an hour: the cloud's word, else what is known here."""
    return known.get(offer) if offer.price_usd_per_hour is None else offer.price_usd_per_hour


def allow(catalog: Catalog, instance: Instance, usd: float, *, now: float | None = None) -> None:
    """Let a launch that waits for a spot machine take one on demand, up to this price.

    Args:
        catalog: the catalog.
        instance: the row of the launch.
        usd: US dollars an hour.
        now: the moment.

    Raises:
        RefusedError: it waits for none, or a budget forbids what it may cost then.
    """
    now = time.time() if now is None else now
    with catalog.write("instance", durable=True):
        current = catalog.instances.get(instance.id)
        launch = catalog.launches.get(current.launch_id) if current.launch_id else None
        if launch is None or launch.state is not LaunchState.OPEN or not launch.wish.spot:
            raise RefusedError(
                f"{current.name} does not wait for a spot machine.",
                "Only what waits for one, or was lost, is asked for on demand.",
                code="not_lost",
            )
        wish = replace(launch.wish, on_demand_cap=usd)
        left_s = 0.0 if current.deadline_at is None else max(0.0, current.deadline_at - now)
        price = accounts.most_it_costs(catalog, wish)
        asked = accounts.Ordered(current.name, price, left_s, wish.provider, wish.disk_gb)
        accounts.require(catalog, [asked], now, renewed=current.id)
        catalog.launches.rewrite_wish(launch.id, wish)
