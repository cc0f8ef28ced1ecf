"""Lambda's instances as the contract's machines, and its types as offers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloudtui_providers import marks
from cloudtui_providers.base import CloudState, Machine, Offer
from cloudtui_providers.lambda_labs.service import NAME

REGION = "global"
"""One list, one quota and one price hold for all of Lambda; what Lambda calls a region is a zone here."""
USER = "ubuntu"
GIB = 1 << 30
STATES = {
    "booting": CloudState.PENDING,
    "active": CloudState.RUNNING,
    "unhealthy": CloudState.RUNNING,
    "terminating": CloudState.TERMINATING,
    "terminated": CloudState.TERMINATED,
    "preempted": CloudState.TERMINATED,
}
SAYS_NOTHING = {"booting", "active"}
GPU_MEMORY = re.compile(r"\((\d+) GB")


def machine(instance: Mapping[str, Any]) -> Machine:
    """One instance as its list tells of it. An unhealthy one is paid for, and may come back."""
    status = str(instance["status"])
    return Machine(
        id=instance["id"],
        state=STATES.get(status, CloudState.RUNNING),  # a new word: it is there, and so it costs
        region=REGION,
        zone=instance["region"]["name"],
        type=instance["instance_type"]["name"],
        address=instance.get("ip") or "",
        user=USER,
        reason="" if status in SAYS_NOTHING else status,
        tags=marks.tags(instance.get("name") or ""),
    )


def offers_of(item: Mapping[str, Any]) -> Iterator[Offer]:
    """A type where there are some now; where there are none, as not available."""
    kind, regions = item["instance_type"], item["regions_with_capacity_available"]
    for zone in [one["name"] for one in regions] or [""]:
        yield _offer(kind, zone)


def _offer(kind: Mapping[str, Any], zone: str) -> Offer:
    specs, words = kind["specs"], str(kind["gpu_description"])
    gpus = int(specs["gpus"])
    memory = GPU_MEMORY.search(words)
    return Offer(
        provider=NAME,
        region=REGION,
        zone=zone,
        type=kind["name"],
        gpu=words.partition(" (")[0] if gpus else "",
        gpus=gpus,
        gpu_memory_bytes=int(memory[1]) * GIB if memory and gpus else 0,
        cpus=int(specs["vcpus"]),
        memory_bytes=int(specs["memory_gib"]) * GIB,
        price_usd_per_hour=int(kind["price_cents_per_hour"]) / 100,
        available=bool(zone),
    )
