"""What can be rented, where, and for how much as far as AWS says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cloudtui_providers.aws import prices
from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.aws.types import WITH_GPU_AND_COMMON, MachineType, types
from cloudtui_providers.base import Offer, Wanted
from cloudtui_providers.errors import PermissionDenied

AT_ONCE = 8
NAME = "aws"
MOST_VALUES = 200
"""Of one filter."""
ZONES = "ec2:DescribeInstanceTypeOfferings"


def offers(clients: Clients, regions: Sequence[str], wanted: Wanted) -> list[Offer]:
    """Cheapest first, one for each zone; what has no price passes every limit and comes last."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = list(threads.map(lambda region: _allowed(clients, region, wanted), regions))
    refused = [one for one in asked if isinstance(one, PermissionDenied)]
    if refused and len(refused) == len(asked):
        raise refused[0]
    found = [offer for one in asked if not isinstance(one, PermissionDenied) for offer in one]
    if not wanted.spot:
        found = _priced(clients, found)
    return sorted((offer for offer in found if _affordable(offer, wanted)), key=_cheapest_first)


def _allowed(clients: Clients, region: str, wanted: Wanted) -> list[Offer] | PermissionDenied:
    """Organisations shut regions to their accounts: those have no offers, and the others still do."""
    try:
        return _of_region(clients, region, wanted)
    except PermissionDenied as error:
        return error


def _of_region(clients: Clients, region: str, wanted: Wanted) -> list[Offer]:
    names = [wanted.type] if wanted.type else list(WITH_GPU_AND_COMMON)
    kinds = {
        kind.name: kind
        for kind in types(clients, region, names)
        if wanted.gpu.lower() in kind.gpu.lower() and (kind.spot or not wanted.spot)
    }
    if not kinds:
        return []
    zones = _zones(clients, region, kinds)
    found = [_offer(kinds[name], region, zone, spot=wanted.spot) for zone, name in zones]
    if not wanted.spot:
        return found
    known = prices.spot(clients, region, list(kinds))
    return [
        replace(offer, price_usd_per_hour=price, as_of=as_of)
        for offer in found
        for price, as_of in [known.get((offer.zone, offer.type), (None, ""))]
    ]


def _zones(clients: Clients, region: str, types: Collection[str]) -> list[tuple[str, str]]:
    """Zone and type, for each zone that has one of these types."""
    wanted = [{"Name": "instance-type", "Values": list(types)}] if len(types) <= MOST_VALUES else []
    asked = clients.pages(region, ZONES, LocationType="availability-zone", Filters=wanted)
    rows = [(row["Location"], row["InstanceType"]) for page in asked for row in page["InstanceTypeOfferings"]]
    return [(zone, name) for zone, name in rows if name in types]


def _offer(kind: MachineType, region: str, zone: str, *, spot: bool) -> Offer:
    return Offer(
        provider=NAME,
        region=region,
        zone=zone,
        type=kind.name,
        gpu=kind.gpu,
        gpus=kind.gpus,
        gpu_memory_bytes=kind.gpu_memory_bytes,
        cpus=kind.cpus,
        memory_bytes=kind.memory_bytes,
        price_usd_per_hour=None,
        spot=spot,
    )


def _priced(clients: Clients, found: Sequence[Offer]) -> list[Offer]:
    known = prices.on_demand(clients, sorted({(offer.region, offer.type) for offer in found}))
    return [replace(offer, price_usd_per_hour=known.get((offer.region, offer.type))) for offer in found]


def _affordable(offer: Offer, wanted: Wanted) -> bool:
    price = offer.price_usd_per_hour
    return wanted.max_price is None or price is None or price <= wanted.max_price


def _cheapest_first(offer: Offer) -> tuple[bool, float, str, str]:
    price = offer.price_usd_per_hour
    return (price is None, price or 0.0, offer.type, offer.zone)
