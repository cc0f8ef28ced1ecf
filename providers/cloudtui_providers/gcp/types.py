"""Google's machine types, zone by zone, and the accelerators that can be put into the older ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloudtui_providers.base import Offer, Wanted
from cloudtui_providers.choosing import chosen
from cloudtui_providers.errors import InvalidOrderError
from cloudtui_providers.gcp.machines import region_of
from cloudtui_providers.gcp.service import NAME, TITLE, Compute, last

MIB = 1 << 20
GIB = 1 << 30
WITH_GPU_AND_COMMON = "(a2|a3|a4|a4x|g2|g4)-.*|e2-standard-[248]|n2-standard-[48]|n1-standard-8"
"""What is looked at where no type is named: Google has hundreds in each of over a hundred zones."""
CARRIER = "n1-standard-8"
"""What is offered with an accelerator attached; `n1-standard-4+nvidia-tesla-t4x2` can be ordered as well."""
MEMORY_GIB = {
    "nvidia-tesla-t4": 16,
    "nvidia-tesla-p4": 8,
    "nvidia-tesla-p100": 16,
    "nvidia-tesla-v100": 16,
    "nvidia-tesla-a100": 40,
    "nvidia-l4": 24,
    "nvidia-b200": 180,
    "nvidia-rtx-pro-6000": 96,
}
"""Of those whose name does not say it. 0 of an unknown one: not known."""
ATTACHABLE = ("nvidia-tesla-t4", "nvidia-tesla-p4", "nvidia-tesla-p100", "nvidia-tesla-v100")
_GIGABYTES = re.compile(r"-(\d+)gb")
_ATTACHED = re.compile(r"(?P<base>[^+]+)\+(?P<accelerator>.+?)(?:x(?P<count>\d+))?")


@dataclass(frozen=True, slots=True)
class MachineType:
    """One type in one zone."""

    base: str
    """What Google calls it."""
    zone: str
    cpus: int
    memory_bytes: int
    arm: bool = False
    accelerator: str = ""
    count: int = 0
    attached: bool = False
    """Its accelerators are ordered beside it; the others have them built in."""

    @property
    def name(self) -> str:
        """What it is called here: with what is attached to it."""
        more = f"x{self.count}" if self.count > 1 else ""
        return f"{self.base}+{self.accelerator}{more}" if self.attached else self.base


def offers(compute: Compute, wanted: Wanted) -> list[Offer]:
    """One for each zone. Google's prices need a key of their own, so none has one."""
    return chosen((_offer(one, spot=wanted.spot) for one in types(compute, wanted.type)), wanted)


def types(compute: Compute, name: str = "") -> list[MachineType]:
    """Those of a name, in all zones; without one those with GPUs, and a few common ones."""
    asked = _ATTACHED.fullmatch(name)
    base = asked["base"] if asked else name
    wanted = f'name = "{base}"' if base else f"name eq {WITH_GPU_AND_COMMON}"
    found = [
        _type(one)
        for page in compute.pages("aggregated/machineTypes", filter=wanted)
        for scope in page.get("items", {}).values()
        for one in scope.get("machineTypes", [])
        if not one.get("deprecated")
    ]
    if asked:
        count = int(asked["count"] or 1)
        return list(_carrying(compute, found, base, asked["accelerator"], count))
    if name:
        return found
    return found + [one for gpu in ATTACHABLE for one in _carrying(compute, found, CARRIER, gpu, 1)]


def one_in(compute: Compute, name: str, region: str, zone: str) -> MachineType:
    """A type where it is ordered; without a zone the first of the region that has it.

    Raises:
        InvalidOrderError: it is not there.
    """
    there = [one for one in types(compute, name) if region_of(one.zone) == region and zone in {"", one.zone}]
    if not there:
        raise InvalidOrderError(
            f"There is no machine type {name} in {zone or region} of {TITLE}.",
            "'cloudtui instance offers' lists them.",
        )
    return min(there, key=lambda one: one.zone)


def _carrying(
    compute: Compute, found: list[MachineType], base: str, accelerator: str, count: int
) -> Iterator[MachineType]:
    zones = {
        last(one["zone"])
        for page in compute.pages("aggregated/acceleratorTypes", filter=f'name = "{accelerator}"')
        for scope in page.get("items", {}).values()
        for one in scope.get("acceleratorTypes", [])
        if int(one.get("maximumCardsPerInstance", 1)) >= count
    }
    for one in found:
        if one.base == base and one.zone in zones:
            yield replace(one, accelerator=accelerator, count=count, attached=True)


def _type(found: Mapping[str, Any]) -> MachineType:
    built_in: Mapping[str, Any] = next(iter(found.get("accelerators", [])), {})
    return MachineType(
        base=found["name"],
        zone=last(found["zone"]),
        cpus=int(found["guestCpus"]),
        memory_bytes=int(found["memoryMb"]) * MIB,
        arm=found.get("architecture") == "ARM64",
        accelerator=last(built_in.get("guestAcceleratorType", "")),
        count=int(built_in.get("guestAcceleratorCount", 0)),
    )


def _offer(kind: MachineType, *, spot: bool) -> Offer:
    return Offer(
        provider=NAME,
        region=region_of(kind.zone),
        zone=kind.zone,
        type=kind.name,
        gpu=_gpu(kind.accelerator),
        gpus=kind.count,
        gpu_memory_bytes=_gib(kind.accelerator) * GIB,
        cpus=kind.cpus,
        memory_bytes=kind.memory_bytes,
        price_usd_per_hour=None,
        spot=spot,
    )


def _gpu(accelerator: str) -> str:
    """`nvidia-tesla-t4` is an NVIDIA T4; a TPU is no GPU."""
    if not accelerator.startswith("nvidia-"):
        return ""
    return "NVIDIA " + accelerator.removeprefix("nvidia-").removeprefix("tesla-").replace("-", " ").upper()


def _gib(accelerator: str) -> int:
    said = _GIGABYTES.search(accelerator)
    return int(said[1]) if said else MEMORY_GIB.get(accelerator, 0)
