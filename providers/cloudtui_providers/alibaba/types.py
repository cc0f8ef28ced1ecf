"""Alibaba's instance types, and where they are to be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cloudtui_providers.alibaba import prices
from cloudtui_providers.alibaba.errors import TITLE
from cloudtui_providers.alibaba.service import NAME, Api, items
from cloudtui_providers.base import Offer, Wanted
from cloudtui_providers.choosing import chosen
from cloudtui_providers.errors import InvalidOrderError

GIB = 1 << 30
TYPES, STOCK = "ecs:DescribeInstanceTypes", "ecs:DescribeAvailableResource"
COMMON = ("ecs.g7.xlarge", "ecs.g7.2xlarge", "ecs.g8i.xlarge", "ecs.g8i.2xlarge")
"""What is looked at beside those with GPUs where no type is named."""
CLOSED = ("RegionUnauthorized", "InvalidRegionId.NotFound")
"""Regions that are listed and not open to this account."""
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """One type, the same in all regions."""

    name: str
    cpus: int
    memory_bytes: int
    gpu: str
    gpus: int
    gpu_memory_bytes: int
    arm: bool


def offers(api: Api, regions: Sequence[str], home: str, wanted: Wanted) -> list[Offer]:
    """One for each zone that has the type, sold out or not; prices where they can be had in dollars."""
    kinds = {one.name: one for one in _kinds(api, home, wanted.type)}

    def of_region(region: str) -> list[Offer]:
        stock = _stock(api, region, wanted.type, spot=wanted.spot)
        return [_offer(kinds[name], region, zone, there, spot=wanted.spot)
                for zone, name, there in stock if name in kinds]  # fmt: skip

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = [offer for some in threads.map(of_region, regions) for offer in some]
    return chosen(prices.priced(api, [one for one in found if wanted.gpu.lower() in one.gpu.lower()]), wanted)


def one_in(api: Api, name: str, region: str, zone: str, *, spot: bool) -> tuple[Kind, str]:
    """A type where it is ordered, and its zone: the wished one, or one that has it.

    Raises:
        InvalidOrderError: this account cannot have it there.
    """
    kind = next(iter(_kinds(api, region, name)), None)
    stock = [(one, there) for one, found, there in _stock(api, region, name, spot=spot) if found == name]
    zones = [one for one, there in sorted(stock, key=lambda place: not place[1]) if zone in {"", one}]
    if kind is None or not zones:
        where = f"zone {zone} of {region}" if zone else region
        raise InvalidOrderError(
            f"{TITLE} has no {name}{' as spot' if spot else ''} for this account in {where}.",
            "'cloudtui instance offers' lists what it has.",
        )
    return kind, zones[0]


def _kinds(api: Api, region: str, name: str) -> Iterator[Kind]:
    """The type of this name; without one, those that are worth to be shown."""
    asked: list[dict[str, Any]] = [{"InstanceTypes": [name]}] if name else [
        {"MinimumGPUAmount": 1}, {"InstanceTypes": list(COMMON)},
    ]  # fmt: skip
    for filters in asked:
        for page in api.pages(region, TYPES, **filters):
            yield from (_kind(one) for one in items(page, "InstanceTypes", "InstanceType"))


def _kind(told: Mapping[str, Any]) -> Kind:
    gpus = int(told.get("GPUAmount") or 0)
    return Kind(
        name=told["InstanceTypeId"],
        cpus=int(told.get("CpuCoreCount") or 0),
        memory_bytes=int(float(told.get("MemorySize") or 0) * GIB),
        gpu=(str(told.get("GPUSpec") or "") or "GPU") if gpus else "",
        gpus=gpus,
        gpu_memory_bytes=int(float(told.get("GPUMemorySize") or 0) * GIB) if gpus else 0,
        arm=told.get("CpuArchitecture") == "ARM",
    )


def _stock(api: Api, region: str, name: str, *, spot: bool) -> Iterator[tuple[str, str, bool]]:
    """Zone, type, and whether there are any now."""
    asked = {"InstanceType": name} if name else {}
    told = api.ask(
        region, STOCK, but=CLOSED, DestinationResource="InstanceType", InstanceChargeType="PostPaid",
        SpotStrategy="SpotAsPriceGo" if spot else "NoSpot", **asked,
    )  # fmt: skip
    for zone in items(told, "AvailableZones", "AvailableZone"):
        for resource in items(zone, "AvailableResources", "AvailableResource"):
            for one in items(resource, "SupportedResources", "SupportedResource"):
                yield zone["ZoneId"], one["Value"], one.get("Status") == "Available"


def _offer(kind: Kind, region: str, zone: str, there: bool, *, spot: bool) -> Offer:
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
        available=there,
    )
