"""Azure's sizes of machines, and where this subscription may have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudtui_providers.azure.service import NAME, SKUS, TITLE, Resources
from cloudtui_providers.base import Offer, Wanted
from cloudtui_providers.choosing import chosen
from cloudtui_providers.errors import InvalidOrderError

GIB = 1 << 30
COMMON = re.compile(r"Standard_(N.*|D[248]a?s_v5)")
"""What is looked at where no type is named: Azure has over a thousand, most of them for other work."""
GPUS: Sequence[tuple[str, str, int]] = (
    (r"_T4_v", "NVIDIA T4", 16),
    (r"_A10_v", "NVIDIA A10", 24),
    (r"_A100_v4", "NVIDIA A100", 80),
    (r"ND96a(ms|mr|m).*_v4", "NVIDIA A100", 80),
    (r"ND96a.*_v4", "NVIDIA A100", 40),
    (r"_H100_v", "NVIDIA H100", 80),
    (r"NC(40|80)ad.*_H100", "NVIDIA H100", 94),
    (r"_H200_v", "NVIDIA H200", 141),
    (r"_MI300X_v", "AMD MI300X", 192),
    (r"NC\d+r?s_v3", "NVIDIA V100", 16),
    (r"ND40r?s_v2", "NVIDIA V100", 32),
    (r"NV\d+as_v4", "AMD MI25", 16),
    (r"NV\d+s_v3", "NVIDIA M60", 8),
)
"""By the name of a size: Azure does not say which GPUs they are."""


@dataclass(frozen=True, slots=True)
class Size:
    """One in one region."""

    name: str
    region: str
    zones: tuple[str, ...]
    """Where it may be had; none: the region has no zones for it."""
    cpus: int
    memory_bytes: int
    gpus: int
    arm: bool
    spot: bool

    @property
    def gpu(self) -> tuple[str, int]:
        """Which, and how much memory one has."""
        found = next((one for one in GPUS if re.search(one[0], self.name)), None)
        return (found[1], found[2] * GIB) if found and self.gpus else ("GPU" if self.gpus else "", 0)


def offers(resources: Resources, wanted: Wanted) -> list[Offer]:
    """One for each zone. Prices are those of the bundled list: Azure's own page of them wants no account."""
    found = (
        offer
        for size in sizes(resources, wanted.regions)
        if (size.name == wanted.type if wanted.type else COMMON.fullmatch(size.name))
        for offer in _offers(size, spot=wanted.spot)
    )
    return chosen(found, wanted)


def sizes(resources: Resources, regions: Sequence[str]) -> Iterator[Size]:
    """Those that the subscription may have."""
    asked = [{"$filter": f"location eq '{region}'"} for region in regions] or [{}]
    for query in asked:
        for sku in resources.items(resources.path("/providers/Microsoft.Compute/skus"), SKUS, **query):
            if sku.get("resourceType") == "virtualMachines":
                yield from _sizes(sku)


def one_in(resources: Resources, name: str, region: str, zone: str) -> Size:
    """A size where it is ordered.

    Raises:
        InvalidOrderError: this subscription cannot have it there.
    """
    for size in sizes(resources, [region]):
        if size.name == name and size.region == region and zone in {"", *size.zones}:
            return size
    where = f"zone {zone} of {region}" if zone else region
    raise InvalidOrderError(
        f"{TITLE} has no {name} for this subscription in {where}.",
        "'cloudtui instance offers' lists what it has.",
    )


def _sizes(sku: Mapping[str, Any]) -> Iterator[Size]:
    can = {one["name"]: one["value"] for one in sku.get("capabilities", [])}
    shut = sku.get("restrictions", [])
    for where in sku.get("locationInfo", []):
        region = where["location"]
        if any(one["type"] == "Location" and region in one.get("values", []) for one in shut):
            continue
        closed = {
            zone
            for one in shut
            if one["type"] == "Zone"
            for zone in one.get("restrictionInfo", {}).get("zones", [])
        }
        zones = set(where.get("zones", []))
        if zones and zones <= closed:
            continue
        yield Size(
            name=sku["name"],
            region=region,
            zones=tuple(sorted(zones - closed)),
            cpus=int(can.get("vCPUs", 0)),
            memory_bytes=int(float(can.get("MemoryGB", 0)) * GIB),
            gpus=int(float(can.get("GPUs", 0))),
            arm=can.get("CpuArchitectureType") == "Arm64",
            spot=can.get("LowPriorityCapable") == "True",
        )


def _offers(size: Size, *, spot: bool) -> Iterator[Offer]:
    gpu, memory = size.gpu
    for zone in size.zones or ("",):
        if spot and not size.spot:
            return
        yield Offer(
            provider=NAME,
            region=size.region,
            zone=zone,
            type=size.name,
            gpu=gpu,
            gpus=size.gpus,
            gpu_memory_bytes=memory,
            cpus=size.cpus,
            memory_bytes=size.memory_bytes,
            price_usd_per_hour=None,
            spot=spot,
        )
