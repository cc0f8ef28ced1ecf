"""What EC2 says of its types of machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudtui_providers.aws.clients import Clients

ACTION = "ec2:DescribeInstanceTypes"
MIB = 1 << 20
WITH_GPU_AND_COMMON = ("g*", "p*", "t3.*", "m7i.*", "c7i.*")
"""What is looked at where no type is named: EC2 has over a thousand, most of them for other work."""


@dataclass(frozen=True, slots=True)
class MachineType:
    """One type, the same in every region that has it."""

    name: str
    architecture: str
    cpus: int
    memory_bytes: int
    gpu: str
    gpus: int
    gpu_memory_bytes: int
    spot: bool


def types(clients: Clients, region: str, names: Sequence[str]) -> list[MachineType]:
    """Those of a region that have one of these names or patterns."""
    wanted = [{"Name": "instance-type", "Values": list(names)}]
    return [
        _type(found)
        for page in clients.pages(region, ACTION, Filters=wanted)
        for found in page["InstanceTypes"]
    ]


def _type(found: Mapping[str, Any]) -> MachineType:
    gpus = found.get("GpuInfo", {}).get("Gpus", [])
    first = gpus[0] if gpus else {}
    return MachineType(
        name=found["InstanceType"],
        architecture=found["ProcessorInfo"]["SupportedArchitectures"][-1],
        cpus=int(found["VCpuInfo"]["DefaultVCpus"]),
        memory_bytes=int(found["MemoryInfo"]["SizeInMiB"]) * MIB,
        gpu=f"{first['Manufacturer']} {first['Name']}" if first else "",
        gpus=sum(int(gpu["Count"]) for gpu in gpus),
        gpu_memory_bytes=int(first.get("MemoryInfo", {}).get("SizeInMiB", 0)) * MIB,
        spot="spot" in found.get("SupportedUsageClasses", []),
    )
